"""Slips at the functions of courses and of modern networks, written without a look at the table that is to name them."""

from __future__ import annotations

from tests.mistakes import B0, NET, NET_SHAPES, RIDGE, RIDGE_SHAPES, SOFTMAX, SOFTMAX_SHAPES, SVM, Mistake, P

LS, LS_SHAPES = "1/N ||X w - y||^2", "X: N D, w: D, y: N"
RELU_NET = "Z = X W_1 + ones b_1^T; H = max(0, Z); O = H W_2 + ones b_2^T; 1/(2 N) ||O - Y||_F^2"
RELU_SHAPES = "X: N D, W_1: D M, b_1: M, W_2: M K, b_2: K, Y: N K"
RELU = "N = len(X); Z = X@W_1 + b_1; H = np.maximum(0, Z); O = H@W_2 + b_2; D = (O - Y)/N; E = (D@W_2.T)*(Z > 0)\n"
DEEP = "A = max(0, X W_1); B = max(0, A W_2); 1/2 ||B W_3 - Y||_F^2"
DEEP_SHAPES = "X: N D, W_1: D M, W_2: M M, W_3: M M, Y: N M"
DEEP_CODE = "A = np.maximum(0, X@W_1); B = np.maximum(0, A@W_2); R = B@W_3 - Y\n"
SIG = "A = sigmoid(X W_1); 1/2 ||A W_2 - Y||_F^2"
SIG_CODE = "A = 1/(1+np.exp(-X@W_1)); R = A@W_2 - Y\n"
TANH = "A = tanh(X W_1); 1/2 ||A W_2 - Y||_F^2"
RESIDUAL, RESIDUAL_SHAPES = "1/2 ||x + W_2 max(0, W_1 x) - y||^2", "x: n, W_1: m n, W_2: n m, y: n"
RESIDUAL_CODE = "h = W_1@x; r = x + W_2@np.maximum(0, h) - y; b = W_1.T@((W_2.T@r)*(h > 0))\n"
NORM = (
    "m_j = 1/N sum_i X_{ij}; v_j = 1/N sum_i (X_{ij} - m_j)^2; sum_i sum_j U_{ij} (X_{ij} - m_j) / sqrt(v_j + 0.00001)"
)
NORM_CODE = "N = len(X); mu = X.mean(0); v = X.var(0); s = np.sqrt(v + 1e-5); xh = (X - mu)/s\n"
LAYER = "m = mean(x); s = sqrt(mean((x-m)^2) + 0.00001); u^T (gamma .* ((x - m) / s))"
LAYER_SHAPES = "x: n, u: n, gamma: n"
LAYER_CODE = "m = x.mean(); s = np.sqrt(x.var() + 1e-5); h = (x - m)/s; d = u*gamma\n"
ATTENTION, ATTENTION_SHAPES = "A = softmax(Q K^T / sqrt(d)); sum(U .* (A V))", "Q: n d, K: m d, V: m e, U: n e"
ATTENTION_CODE = (
    "c = np.sqrt(Q.shape[1]); S = Q@K.T/c; E = np.exp(S - S.max(1, keepdims=True)); A = E/E.sum(1, keepdims=True)\n"
    "dA = U@V.T; dS = A*(dA - (A*dA).sum(1, keepdims=True))\n"
)
RNN, RNN_SHAPES = (
    "h_1 = tanh(W h_0 + U x_1); h_2 = tanh(W h_1 + U x_2); u^T h_2",
    "W: n n, h_0: n, U: n m, x_1: m, x_2: m, u: n",
)
RNN_CODE = "h1 = np.tanh(W@h_0 + U@x_1); h2 = np.tanh(W@h1 + U@x_2); d2 = u*(1 - h2**2)\n"
LSTM = "u^T (o .* tanh(sigmoid(z) .* c + i .* k))"
LSTM_SHAPES = "u: n, o: n, z: n, c: n, i: n, k: n"
LSTM_CODE = "f = 1/(1+np.exp(-z)); t = np.tanh(f*c + i*k)\n"
GAUSS, GAUSS_SHAPES = "sum((x - mu).^2 / (2 s^2) + log(s))", "x: n, mu:, s:"
TRIPLET, TRIPLET_SHAPES = "max(0, ||a - p||^2 - ||a - q||^2 + 1)", "a: d, p: d, q: d"
ACTIVE = "1[||a - p||^2 - ||a - q||^2 + 1 > 0]"
TRIPLET_CODE = "m = (np.sum((a-p)**2) - np.sum((a-q)**2) + 1 > 0)\n"
CONTRAST = "y ||a - b||^2 + (1 - y) max(0, 1 - ||a - b||)^2"
INFO, INFO_SHAPES = "S = A B^T / t; 1/N sum_i (log(sum_j exp(S_{ij})) - S_{ii})", "A: N d, B: N d, t:"
INFO_CODE = "N = len(A); S = A@B.T/t; E = np.exp(S - S.max(1, keepdims=True)); R = E/E.sum(1, keepdims=True)\n"
HINGE = "lam/2 ||w||^2 + 1/N sum(max(0, 1 - y .* (X w)))"
BCE = "p = sigmoid(X w); -1/N sum(y .* log(p) + (1 - y) .* log(1 - p))"
BCE_CODE = "p = 1/(1+np.exp(-X@w)); N = len(y)\n"
STRUCTURED = "max(s + 1 - onehot(y)) - s_y"
COVARIANCE, COVARIANCE_SHAPES = "1/2 log(abs(det(S))) + 1/2 a^T S^{-1} a", "S: n n, a: n"
FACTORS, FACTORS_SHAPES = "1/2 ||R - U V^T||_F^2 + lam/2 (||U||_F^2 + ||V||_F^2)", "R: m n, U: m k, V: n k, lam:"


def slip(name: str, of: tuple[str, str, str], claim: str, code: str, finding: str) -> Mistake:
    function, wrt, shapes = of
    return Mistake(name, function, wrt, claim, code, finding, shapes=shapes)


SLIPS = [
    # linear regression and its regularisers
    slip("half-forgotten-in-penalty", ("1/2 ||X w - y||^2 + lam/2 ||w||^2", "w", "X: N D, w: D, y: N, lam:"), "X^T (X w - y) + 2 lam w", "g = X.T@(X@w - y) + 2*lam*w", "factor-of-term"),
    slip("ascent", (RIDGE, "w", RIDGE_SHAPES), "-(2/N X^T (X w - y) + 2 lam w)", "g = -(2*X.T@(X@w - y)/len(y) + 2*lam*w)", "sign"),
    slip("mean-twice", (LS, "w", LS_SHAPES), "2/N^2 X^T (X w - y)", "g = 2*X.T@(X@w - y)/len(y)**2", "mean"),
    slip("half-with-the-mean", ("1/(2 N) ||X w - y||^2", "w", LS_SHAPES), "2/N X^T (X w - y)", "g = 2*X.T@(X@w - y)/len(y)", "factor"),
    slip("X-not-transposed", ("1/2 ||X w - y||^2", "w", "X: n n, w: n, y: n"), "X (X w - y)", "g = X@(X@w - y)", "transposed-factor"),
    slip("weights-of-examples-lost", ("sum(s .* (X w - y).^2)", "w", "X: N D, w: D, y: N, s: N"), "2 X^T (X w - y)", "g = 2*X.T@(X@w - y)", "missing-factor"),
    slip("weights-once", ("1/2 ||s .* (X w - y)||^2", "w", "X: N D, w: D, y: N, s: N"), "X^T (s .* (X w - y))", "g = X.T@(s*(X@w - y))", "power"),
    slip("gradient-by-the-other-vector", ("u^T W v", "u", "u: n, W: n n, v: n"), "W^T u", "g = W.T@u", "variable"),
    slip("elastic-net-half", ("||X w - y||^2 + a ||w||_1 + b ||w||^2", "w", "X: N D, w: D, y: N, a:, b:"), "2 X^T (X w - y) + a sign(w) + b w", "g = 2*X.T@(X@w - y) + a*np.sign(w) + b*w", "factor-of-term"),
    slip("lasso-lost", ("||X w - y||^2 + a ||w||_1 + b ||w||^2", "w", "X: N D, w: D, y: N, a:, b:"), "2 X^T (X w - y) + 2 b w", "g = 2*X.T@(X@w - y) + 2*b*w", "missing-term"),
    slip("lasso-not-differentiated", ("||X w - y||^2 + a ||w||_1", "w", "X: N D, w: D, y: N, a:"), "2 X^T (X w - y) + a |w|", "g = 2*X.T@(X@w - y) + a*np.abs(w)", "rule"),
    slip("residual-turned", ("1/2 ||Y - X W||_F^2", "W", "X: N D, W: D M, Y: N M"), "X^T (Y - X W)", "g = X.T@(Y - X@W)", "sign"),
    slip("mean-of-all-entries", ("1/N ||X W - Y||_F^2", "W", "X: N D, W: D M, Y: N M"), "", "g = 2*X.T@(X@W - Y)/Y.size", "mean"),
    slip("column-against-row", (LS, "w", LS_SHAPES), "", "g = 2*X.T@((X@w)[:, None] - y)/len(y)", "shape"),
    slip("column-against-row-averaged", (LS, "w", LS_SHAPES), "", "g = 2*X.T@((X@w)[:, None] - y).mean(1)/len(y)", "broadcast"),
    slip("star-for-at", ("1/2 ||X w - y||^2", "w", LS_SHAPES), "", "g = X.T*(X@w - y)", "unsummed"),
    slip("whole-division", ("1/N ||X w - y||^2", "w", LS_SHAPES), "", "g = 2*X.T@(X@w - y)//len(y)", "rounded"),
    slip("normal-equations-sign", ("||X w - y||^2", "w", LS_SHAPES), "2 X^T X w + 2 X^T y", "g = 2*X.T@X@w + 2*X.T@y", "sign-of-term"),
    slip("normal-equations-half", ("||X w - y||^2", "w", LS_SHAPES), "2 X^T X w - X^T y", "g = 2*X.T@X@w - X.T@y", "factor-of-term"),
    slip("bias-penalised", ("sum((X w + b - y).^2) + lam ||w||^2", "b", "X: N D, w: D, y: N, lam:, b:"), "2 sum(X w + b - y) + 2 lam b", "g = 2*np.sum(X@w + b - y) + 2*lam*b", "extra-term"),
    # logistic regression
    slip("logistic-sign", ("1/N sum(log(1 + exp(-y .* (X w))))", "w", LS_SHAPES), "1/N X^T (y .* sigmoid(-y .* (X w)))", "s = 1/(1+np.exp(y*(X@w))); g = X.T@(y*s)/len(y)", "sign"),
    slip("logistic-penalty", ("sum(log(1 + exp(-y .* (X w)))) + lam/2 ||w||^2", "w", "X: N D, w: D, y: N, lam:"), "-X^T (y .* sigmoid(-y .* (X w))) + 2 lam w", "s = 1/(1+np.exp(y*(X@w))); g = -X.T@(y*s) + 2*lam*w", "factor-of-term"),
    slip("softplus-inner", ("sum(log(1 + exp(z)))", "z", "z: n"), "1 ./ (1 + exp(z))", "g = 1/(1 + np.exp(z))", "sign-inside"),
    slip("softplus-outer", ("sum(log(1 + exp(z)))", "z", "z: n"), "exp(z)", "g = np.exp(z)", "chain"),
    slip("bce-without-targets", (BCE, "w", LS_SHAPES), "1/N X^T sigmoid(X w)", BCE_CODE + "g = X.T@p/N", "missing-term"),
    slip("bce-positive-half", (BCE, "w", LS_SHAPES), "-1/N X^T (y .* (1 - sigmoid(X w)))", BCE_CODE + "g = -X.T@(y*(1-p))/N", "missing-term"),
    slip("bce-second-half-turned", (BCE, "w", LS_SHAPES), "-1/N X^T (y .* (1 - sigmoid(X w)) + (1 - y) .* sigmoid(X w))", BCE_CODE + "g = -X.T@(y*(1-p) + (1-y)*p)/N", "sign-of-term"),
    slip("bce-as-regression", (BCE, "w", LS_SHAPES), "1/N X^T (X w - y)", "g = X.T@(X@w - y)/len(y)", "argument"),
    slip("bce-by-probability", ("-sum(y .* log(p) + (1 - y) .* log(1 - p))", "p", "y: n, p: n"), "-y ./ p - (1 - y) ./ (1 - p)", "g = -y/p - (1-y)/(1-p)", "sign-of-term"),
    slip("perceptron-margin", ("sum(log(1 + exp(-y .* (X w))))", "w", LS_SHAPES), "-X^T (y .* sigmoid(-X w))", "s = 1/(1+np.exp(X@w)); g = -X.T@(y*s)", "missing-factor"),
    slip("poisson-link", ("sum(exp(X w) - y .* (X w))", "w", LS_SHAPES), "X^T (X w - y)", "g = X.T@(X@w - y)", "argument"),
    slip("poisson-targets", ("sum(exp(X w) - y .* (X w))", "w", LS_SHAPES), "X^T exp(X w)", "g = X.T@np.exp(X@w)", "missing-term"),
    # softmax
    slip("label-for-onehot", (SOFTMAX, "W", SOFTMAX_SHAPES), "", P + "g = X.T@(P - y[:, None])/len(X)", "label"),
    slip("label-for-onehot-of-one", ("-log(softmax(s)_y)", "s", "s: C, y:"), "", "p = np.exp(s)/np.exp(s).sum(); g = p - y", "label"),
    slip("onehot-minus-softmax", ("-log(softmax(s)_y)", "s", "s: C, y:"), "onehot(y) - softmax(s)", "p = np.exp(s)/np.exp(s).sum(); g = -p; g[y] += 1", "sign"),
    slip("normalised-over-all", (SOFTMAX, "W", SOFTMAX_SHAPES), "", "S = X@W; r = np.arange(len(X)); P = np.exp(S)/np.exp(S).sum(); P[r, y] -= 1; g = X.T@P/len(X)", "axis"),
    slip("softmax-penalty-averaged", (SOFTMAX + " + lam ||W||_F^2", "W", SOFTMAX_SHAPES + ", lam:"), "1/N (X^T (softmax(X W) - onehot(y)) + 2 lam W)", P + "P[r, y] -= 1; g = (X.T@P + 2*lam*W)/len(X)", "mean-of-term"),
    slip("softmax-penalty-lost", (SOFTMAX + " + lam ||W||_F^2", "W", SOFTMAX_SHAPES + ", lam:"), "1/N X^T (softmax(X W) - onehot(y))", P + "P[r, y] -= 1; g = X.T@P/len(X)", "missing-term"),
    slip("true-class-only", (SOFTMAX, "W", SOFTMAX_SHAPES), "", P + "D = np.zeros_like(P); D[r, y] = P[r, y] - 1; g = X.T@D/len(X)", "label"),
    slip("softmax-transposed", (SOFTMAX, "W", "X: N D, W: D D, y: N"), "1/N (softmax(X W) - onehot(y))^T X", P + "P[r, y] -= 1; g = P.T@X/len(X)", "transposed"),
    slip("temperature-turned", ("-log(softmax(s / t)_y)", "s", "s: C, t:, y:"), "t (softmax(s / t) - onehot(y))", "p = np.exp(s/t)/np.exp(s/t).sum(); p[y] -= 1; g = t*p", "power"),
    slip("temperature-lost", ("-log(softmax(s / t)_y)", "s", "s: C, t:, y:"), "(softmax(s) - onehot(y)) / t", "p = np.exp(s)/np.exp(s).sum(); p[y] -= 1; g = p/t", "missing-factor"),
    slip("softmax-jacobian-off-diagonal", ("u^T softmax(s)", "s", "u: n, s: n"), "-(u^T softmax(s)) softmax(s)", "p = np.exp(s)/np.exp(s).sum(); g = -(u@p)*p", "missing-term"),
    slip("softmax-jacobian-unweighted", ("u^T softmax(s)", "s", "u: n, s: n"), "softmax(s) .* (u - sum(u))", "p = np.exp(s)/np.exp(s).sum(); g = p*(u - u.sum())", "missing-factor"),
    slip("softmax-jacobian-plus", ("u^T softmax(s)", "s", "u: n, s: n"), "softmax(s) .* (u + u^T softmax(s))", "p = np.exp(s)/np.exp(s).sum(); g = p*(u + u@p)", "sign-of-term"),
    slip("softmax-outer-normaliser", (SOFTMAX, "W", SOFTMAX_SHAPES), "1/N X^T (exp(X W) - onehot(y))", "S = X@W; r = np.arange(len(X)); P = np.exp(S); P[r, y] -= 1; g = X.T@P/len(X)", "chain"),
    # margins
    slip("hinge-mean-lost", (HINGE, "w", "X: N D, w: D, y: N, lam:"), "lam w - X^T (y .* 1[1 - y .* (X w) > 0])", "g = lam*w - X.T@(y*(1 - y*(X@w) > 0))", "mean-of-term"),
    slip("hinge-mask-turned", (HINGE, "w", "X: N D, w: D, y: N, lam:"), "lam w - 1/N X^T (y .* 1[1 - y .* (X w) < 0])", "g = lam*w - X.T@(y*(1 - y*(X@w) < 0))/len(y)", "mask"),
    slip("hinge-without-margin", (HINGE, "w", "X: N D, w: D, y: N, lam:"), "lam w - 1/N X^T (y .* 1[y .* (X w) < 0])", "g = lam*w - X.T@(y*(y*(X@w) < 0))/len(y)", "mask"),
    slip("hinge-label-lost", ("sum(max(0, 1 - y .* (X w)))", "w", LS_SHAPES), "-X^T 1[1 - y .* (X w) > 0]", "g = -X.T@(1 - y*(X@w) > 0)", "missing-factor"),
    slip("hinge-value-for-mask", ("sum(max(0, 1 - y .* (X w)))", "w", LS_SHAPES), "-X^T (y .* max(0, 1 - y .* (X w)))", "g = -X.T@(y*np.maximum(0, 1 - y*(X@w)))", "mask"),
    slip("hinge-squared-half", ("sum(max(0, 1 - y .* (X w))^2)", "w", LS_SHAPES), "-X^T (y .* max(0, 1 - y .* (X w)))", "g = -X.T@(y*np.maximum(0, 1 - y*(X@w)))", "factor"),
    slip("hinge-squared-sign", ("sum(max(0, 1 - y .* (X w))^2)", "w", LS_SHAPES), "2 X^T (y .* max(0, 1 - y .* (X w)))", "g = 2*X.T@(y*np.maximum(0, 1 - y*(X@w)))", "sign"),
    slip("structured-without-margin", (STRUCTURED, "s", "s: C, y:"), "argmax(s) - onehot(y)", "g = np.zeros_like(s); g[np.argmax(s)] += 1; g[y] -= 1", "mask"),
    slip("structured-true-class", (STRUCTURED, "s", "s: C, y:"), "argmax(s + 1 - onehot(y))", "t = s + 1; t[y] -= 1; g = np.zeros_like(s); g[np.argmax(t)] += 1", "missing-term"),
    slip("structured-sign", (STRUCTURED, "s", "s: C, y:"), "onehot(y) - argmax(s + 1 - onehot(y))", "t = s + 1; t[y] -= 1; g = np.zeros_like(s); g[np.argmax(t)] -= 1; g[y] += 1", "sign"),
    slip("svm-count-positive", (SVM, "W", SOFTMAX_SHAPES), "", B0 + "B[r, y] = B.sum(1); g = X.T@B/len(X)", "sign-of-term"),
    slip("svm-all-classes-violate", (SVM, "W", SOFTMAX_SHAPES), "", "r = np.arange(len(X)); B = np.ones((len(X), W.shape[1])); B[r, y] = -(W.shape[1] - 1); g = X.T@B/len(X)", "chain"),
    slip("svm-mean-twice", (SVM, "W", SOFTMAX_SHAPES), "", B0 + "B[r, y] = -B.sum(1); g = X.T@B/len(X)**2", "mean"),
    slip("triplet-turned", (TRIPLET, "a", TRIPLET_SHAPES), f"2 (p - q) {ACTIVE}", TRIPLET_CODE + "g = 2*(p - q)*m", "sign"),
    slip("triplet-mask-lost", (TRIPLET, "a", TRIPLET_SHAPES), "2 (q - p)", "g = 2*(q - p)", "mask"),
    slip("triplet-positive-only", (TRIPLET, "a", TRIPLET_SHAPES), f"2 (a - p) {ACTIVE}", TRIPLET_CODE + "g = 2*(a - p)*m", "constant"),
    slip("triplet-added", (TRIPLET, "a", TRIPLET_SHAPES), f"(2 (a - p) + 2 (a - q)) {ACTIVE}", TRIPLET_CODE + "g = (2*(a - p) + 2*(a - q))*m", "sign-of-term"),
    slip("triplet-half", (TRIPLET, "q", TRIPLET_SHAPES), f"(a - q) {ACTIVE}", TRIPLET_CODE + "g = (a - q)*m", "factor"),
    slip("triplet-margin", (TRIPLET, "q", TRIPLET_SHAPES), "2 (a - q) 1[||a - p||^2 - ||a - q||^2 > 0]", "g = 2*(a - q)*(np.sum((a-p)**2) > np.sum((a-q)**2))", "missing-term"),
    slip("contrastive-sign", (CONTRAST, "a", "a: d, b: d, y:"), "2 y (a - b) + 2 (1 - y) max(0, 1 - ||a - b||) (a - b) / ||a - b||", "n = np.linalg.norm(a-b); g = 2*y*(a-b) + 2*(1-y)*max(0, 1-n)*(a-b)/n", "sign-of-term"),
    slip("contrastive-norm", (CONTRAST, "a", "a: d, b: d, y:"), "2 y (a - b) - 2 (1 - y) max(0, 1 - ||a - b||) (a - b)", "n = np.linalg.norm(a-b); g = 2*y*(a-b) - 2*(1-y)*max(0, 1-n)*(a-b)", "missing-factor"),
    slip("infonce-temperature", (INFO, "A", INFO_SHAPES), "", INFO_CODE + "R[np.arange(N), np.arange(N)] -= 1; g = R@B/N", "missing-factor"),
    slip("infonce-diagonal", (INFO, "A", INFO_SHAPES), "", INFO_CODE + "g = R@B/(N*t)", "missing-term"),
    slip("infonce-axis", (INFO, "A", INFO_SHAPES), "", "N = len(A); S = A@B.T/t; E = np.exp(S); R = E/E.sum(0) - np.eye(N); g = R@B/(N*t)", "axis"),
    slip("infonce-by-B", (INFO, "B", INFO_SHAPES), "", INFO_CODE + "g = (R - np.eye(N))@A/(N*t)", "transposed-factor"),
    # networks
    slip("mask-of-the-output", (NET, "W_1", NET_SHAPES), "X^T (((H W_2 - Y) W_2^T) .* 1[H W_2 > 0])", "H = np.maximum(0, X@W_1); O = H@W_2; g = X.T@(((O - Y)@W_2.T)*(O > 0))", "mask"),
    slip("mask-on-the-product", (NET, "W_1", "X: N N, W_1: N N, W_2: N N, Y: N N"), "", "H = np.maximum(0, X@W_1); g = (X.T@((H@W_2 - Y)@W_2.T))*(H > 0)", "mask"),
    slip("mask-of-another-layer", (DEEP, "W_1", DEEP_SHAPES), "", DEEP_CODE + "g = X.T@(((R@W_3.T*(B > 0))@W_2.T)*(B > 0))", "mask"),
    slip("mask-of-a-layer-lost", (DEEP, "W_1", DEEP_SHAPES), "", DEEP_CODE + "g = X.T@((R@W_3.T@W_2.T)*(A > 0))", "chain"),
    slip("weight-of-another-layer", (DEEP, "W_1", DEEP_SHAPES), "", DEEP_CODE + "g = X.T@(((R@W_3.T*(B > 0))@W_3.T)*(A > 0))", "other-factor"),
    slip("layer-skipped", (DEEP, "W_1", DEEP_SHAPES), "", DEEP_CODE + "g = X.T@((R@W_3.T)*(A > 0))", "chain"),
    slip("input-for-hidden", (NET, "W_2", "X: N D, W_1: D D, W_2: D D, Y: N D"), "X^T (H W_2 - Y)", "H = np.maximum(0, X@W_1); g = X.T@(H@W_2 - Y)", "other-factor"),
    slip("outer-product-turned", (NET, "W_2", NET_SHAPES), "(H W_2 - Y)^T H", "H = np.maximum(0, X@W_1); g = (H@W_2 - Y).T@H", "transposed"),
    slip("relu-on-the-output", (NET, "W_2", NET_SHAPES), "H^T ((H W_2 - Y) .* 1[H W_2 > 0])", "H = np.maximum(0, X@W_1); O = H@W_2; g = H.T@((O - Y)*(O > 0))", "mask"),
    slip("hidden-bias-unsummed", (RELU_NET, "b_1", RELU_SHAPES), "", RELU + "g = E", "unsummed"),
    slip("hidden-bias-mean", (RELU_NET, "b_1", RELU_SHAPES), "", RELU + "g = E.mean(0)", "mean"),
    slip("bias-over-the-wrong-axis", (RELU_NET, "b_1", RELU_SHAPES), "", RELU + "g = E.sum(1)", "shape"),
    slip("hidden-bias-without-mask", (RELU_NET, "b_1", RELU_SHAPES), "", RELU + "g = (D@W_2.T).sum(0)", "chain"),
    slip("output-bias-all-summed", (RELU_NET, "b_2", RELU_SHAPES), "", RELU + "g = np.full_like(b_2, D.sum())", "oversummed"),
    slip("net-mean-lost", (RELU_NET, "W_2", RELU_SHAPES), "", RELU + "g = H.T@(O - Y)", "mean"),
    slip("net-mean-twice", (RELU_NET, "W_1", RELU_SHAPES), "", RELU + "g = X.T@E/N", "mean"),
    slip("pre-activation-for-hidden", (RELU_NET, "W_2", RELU_SHAPES), "", RELU + "g = Z.T@D", "argument"),
    slip("sigmoid-half-derivative", (SIG, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* A)", SIG_CODE + "g = X.T@((R@W_2.T)*A)", "chain"),
    slip("sigmoid-other-half", (SIG, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* (1 - A))", SIG_CODE + "g = X.T@((R@W_2.T)*(1 - A))", "chain"),
    slip("sigmoid-of-z", (SIG, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* (X W_1) .* (1 - X W_1))", SIG_CODE + "Z = X@W_1; g = X.T@((R@W_2.T)*Z*(1 - Z))", "argument"),
    slip("sigmoid-derivative-of-output", (SIG, "W_1", NET_SHAPES), "", SIG_CODE + "O = A@W_2; g = X.T@((R@W_2.T)*O*(1 - O))", ""),
    slip("tanh-not-squared", (TANH, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* (1 - A))", "A = np.tanh(X@W_1); g = X.T@(((A@W_2 - Y)@W_2.T)*(1 - A))", "rule"),
    slip("tanh-as-sigmoid", (TANH, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* A .* (1 - A))", "A = np.tanh(X@W_1); g = X.T@(((A@W_2 - Y)@W_2.T)*A*(1 - A))", "rule"),
    slip("tanh-of-z", (TANH, "W_1", NET_SHAPES), "X^T (((A W_2 - Y) W_2^T) .* (1 - (X W_1).^2))", "A = np.tanh(X@W_1); g = X.T@(((A@W_2 - Y)@W_2.T)*(1 - (X@W_1)**2))", "argument"),
    slip("penalty-of-the-other-weight", ("1/2 ||max(0, X W_1) W_2 - Y||_F^2 + lam (||W_1||_F^2 + ||W_2||_F^2)", "W_2", NET_SHAPES.replace("D M, W", "M M, W").replace("N D", "N M") + ", lam:"), "max(0, X W_1)^T (max(0, X W_1) W_2 - Y) + 2 lam W_1", "H = np.maximum(0, X@W_1); g = H.T@(H@W_2 - Y) + 2*lam*W_1", "other-factor"),
    slip("residual-path-lost", (RESIDUAL, "x", RESIDUAL_SHAPES), "", RESIDUAL_CODE + "g = b", "constant"),
    slip("residual-branch-lost", (RESIDUAL, "x", RESIDUAL_SHAPES), "x + W_2 max(0, W_1 x) - y", RESIDUAL_CODE + "g = r", "constant"),
    slip("residual-path-twice", (RESIDUAL, "x", RESIDUAL_SHAPES), "", RESIDUAL_CODE + "g = 2*r + b", "factor-of-term"),
    slip("shared-weight-once", ("1/2 ||W W x - y||^2", "W", "W: n n, x: n, y: n"), "W^T (W W x - y) x^T", "r = W@W@x - y; g = np.outer(W.T@r, x)", "missing-term"),
    slip("shared-weight-last", ("1/2 ||W W x - y||^2", "W", "W: n n, x: n, y: n"), "(W W x - y) (W x)^T", "r = W@W@x - y; g = np.outer(r, W@x)", "missing-term"),
    slip("tied-encoder-only", ("1/2 ||W^T W x - x||^2", "W", "W: m n, x: n"), "W (W^T W x - x) x^T", "r = W.T@W@x - x; g = np.outer(W@r, x)", "missing-term"),
    slip("tied-decoder-twice", ("1/2 ||W^T W x - x||^2", "W", "W: m n, x: n"), "2 W x (W^T W x - x)^T", "r = W.T@W@x - x; g = 2*np.outer(W@x, r)", ""),
    # factorisations
    slip("symmetric-factorisation-half", ("||A - U U^T||_F^2", "U", "A: n n, U: n k"), "-(A + A^T - 2 U U^T) U", "g = -(A + A.T - 2*U@U.T)@U", "factor"),
    slip("factorisation-penalty", (FACTORS, "U", FACTORS_SHAPES), "-(R - U V^T) V + 2 lam U", "g = -(R - U@V.T)@V + 2*lam*U", "factor-of-term"),
    slip("factorisation-sign", (FACTORS, "U", FACTORS_SHAPES), "(R - U V^T) V + lam U", "g = (R - U@V.T)@V + lam*U", "sign-of-term"),
    slip("factorisation-mask-lost", ("1/2 sum(M .* (R - U V^T).^2)", "U", "M: m n, R: m n, U: m k, V: n k"), "-(R - U V^T) V", "g = -(R - U@V.T)@V", "missing-factor"),
    slip("factorisation-not-transposed", ("1/2 ||R - U V^T||_F^2", "V", "R: n n, U: n k, V: n k"), "-(R - U V^T) U", "g = -(R - U@V.T)@U", "transposed-factor"),
    slip("factorisation-wrong-factor", ("1/2 ||R - U V^T||_F^2", "U", "R: n n, U: n k, V: n k"), "-(R - U V^T) U", "g = -(R - U@V.T)@U", "other-factor"),
    slip("factorisation-penalty-of-V", (FACTORS, "U", "R: n n, U: n k, V: n k, lam:"), "-(R - U V^T) V + lam V", "g = -(R - U@V.T)@V + lam*V", "other-factor"),
    # normalisation
    slip("variance-constant", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = (U - U.mean(0))/s", "constant"),
    slip("statistics-constant", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = U/s", "constant"),
    slip("norm-mean-lost", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = (U - U.sum(0) - xh*(U*xh).mean(0))/s", "mean-of-term"),
    slip("norm-axis", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = (U - U.mean(1, keepdims=True) - xh*(U*xh).mean(1, keepdims=True))/s", ""),
    slip("norm-sign", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = (U - U.mean(0) + xh*(U*xh).mean(0))/s", "sign-of-term"),
    slip("norm-divides-by-variance", (NORM, "X", "X: N D, U: N D"), "", NORM_CODE + "g = (U - U.mean(0) - xh*(U*xh).mean(0))/s**2", "power"),
    slip("layernorm-gamma-lost", (LAYER, "x", LAYER_SHAPES), "", LAYER_CODE + "g = (u - u.mean() - h*(u*h).mean())/s", "missing-factor"),
    slip("layernorm-gamma-raw", (LAYER, "gamma", LAYER_SHAPES), "u .* x", "g = u*x", ""),
    slip("layernorm-gamma-undivided", (LAYER, "gamma", LAYER_SHAPES), "u .* (x - mean(x))", "g = u*(x - x.mean())", "missing-factor"),
    slip("layernorm-mean-constant", (LAYER, "x", LAYER_SHAPES), "", LAYER_CODE + "g = (d - h*(d*h).mean())/s", "constant"),
    slip("rms-constant", ("u^T x / sqrt(mean(x.^2) + c)", "x", "u: n, x: n, c:"), "u / sqrt(mean(x.^2) + c)", "g = u/np.sqrt(np.mean(x**2) + c)", "constant"),
    slip("rms-not-cubed", ("u^T x / sqrt(mean(x.^2) + c)", "x", "u: n, x: n, c:"), "u / sqrt(mean(x.^2) + c) - (u^T x) x / (n sqrt(mean(x.^2) + c))", "s = np.sqrt(np.mean(x**2) + c); g = u/s - (u@x)*x/(len(x)*s)", "power"),
    slip("epsilon-outside", ("u^T x / sqrt(mean(x.^2) + c)", "x", "u: n, x: n, c:"), "", "s = np.sqrt(np.mean(x**2)) + c; g = u/s - (u@x)*x/(len(x)*s**3)", "argument"),
    slip("epsilon-lost", ("u^T x / sqrt(mean(x.^2) + c)", "x", "u: n, x: n, c:"), "", "s = np.sqrt(np.mean(x**2)); g = u/s - (u@x)*x/(len(x)*s**3)", "missing-term"),
    slip("unit-vector-not-cubed", ("u^T x / ||x||", "x", "u: n, x: n"), "u/||x|| - (u^T x) x/||x||^2", "n = np.linalg.norm(x); g = u/n - (u@x)*x/n**2", "power"),
    slip("unit-vector-plus", ("u^T x / ||x||", "x", "u: n, x: n"), "u/||x|| + (u^T x) x/||x||^3", "n = np.linalg.norm(x); g = u/n + (u@x)*x/n**3", "sign-of-term"),
    slip("variance-path-alone", ("m = mean(x); mean((x - m).^2)", "x", "x: n"), "2 (x - mean(x))", "g = 2*(x - x.mean())", "mean"),
    # attention
    slip("attention-scale-lost", (ATTENTION, "Q", ATTENTION_SHAPES), "", ATTENTION_CODE + "g = dS@K", "missing-factor"),
    slip("attention-diagonal", (ATTENTION, "Q", ATTENTION_SHAPES), "", ATTENTION_CODE + "g = (A*(1 - A)*dA)@K/c", "diagonal"),
    slip("attention-keys-not-transposed", (ATTENTION, "K", ATTENTION_SHAPES.replace("m d", "n d").replace("m e", "n e")), "", ATTENTION_CODE + "g = dS@Q/c", "transposed-factor"),
    slip("attention-values-not-transposed", (ATTENTION, "V", ATTENTION_SHAPES.replace("m d", "n d").replace("m e", "n e")), "softmax(Q K^T / sqrt(d)) U", ATTENTION_CODE + "g = A@U", "transposed-factor"),
    slip("attention-softmax-lost", (ATTENTION, "Q", ATTENTION_SHAPES), "(A .* (U V^T)) K / sqrt(d)", ATTENTION_CODE + "g = (A*dA)@K/c", "diagonal"),
    slip("attention-jacobian-lost", (ATTENTION, "Q", ATTENTION_SHAPES), "U V^T K / sqrt(d)", ATTENTION_CODE + "g = dA@K/c", "chain"),
    slip("self-attention-values-only", ("sum(U .* (softmax(X X^T) X))", "X", "U: n d, X: n d"), "softmax(X X^T)^T U", "S = X@X.T; E = np.exp(S - S.max(1, keepdims=True)); A = E/E.sum(1, keepdims=True); g = A.T@U", "constant"),
    # convolution and pooling
    slip("filter-turned", ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "w", "w: 3, u: 4, x: 6"), "", "g = np.correlate(x, u, 'valid')[::-1]", "flipped"),
    slip("pooling-to-all", ("sum_i g_i max_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6"), "", "g = np.repeat(g, 2)", "mask"),
    slip("average-pooling-undivided", ("sum_i g_i (1/2) sum_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6"), "", "g = np.repeat(g, 2)", "factor"),
    slip("average-pooling-first", ("sum_i g_i (1/2) sum_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6"), "", "d = np.zeros(6); d[::2] = g; g = d/2", ""),
    slip("pooling-smallest", ("sum_i g_i max_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6"), "", "d = np.zeros(6); k = x.reshape(3, 2).argmin(1); d[2*np.arange(3) + k] = g; g = d", "mask"),
    # recurrent cells
    slip("rnn-input-weight-last-step", (RNN, "U", RNN_SHAPES), "", RNN_CODE + "g = np.outer(d2, x_2)", "constant"),
    slip("rnn-derivative-lost", (RNN, "W", RNN_SHAPES), "", RNN_CODE + "g = np.outer(d2, h1) + np.outer(W.T@d2, h_0)", "chain"),
    slip("rnn-not-transposed", (RNN, "W", RNN_SHAPES), "", RNN_CODE + "g = np.outer(d2, h1) + np.outer((W@d2)*(1 - h1**2), h_0)", "transposed-factor"),
    slip("rnn-recurrence-lost", (RNN, "W", RNN_SHAPES), "", RNN_CODE + "g = np.outer(d2, h1) + np.outer(d2*(1 - h1**2), h_0)", "missing-factor"),
    slip("rnn-same-state", (RNN, "W", RNN_SHAPES), "", RNN_CODE + "g = np.outer(d2, h1) + np.outer((W.T@d2)*(1 - h1**2), h1)", "other-factor"),
    slip("lstm-tanh-lost", (LSTM, "z", LSTM_SHAPES), "u .* o .* c .* sigmoid(z) .* (1 - sigmoid(z))", LSTM_CODE + "g = u*o*c*f*(1-f)", "chain"),
    slip("lstm-gate-lost", (LSTM, "z", LSTM_SHAPES), "", LSTM_CODE + "g = u*o*(1-t**2)*c", "chain"),
    slip("lstm-cell-lost", (LSTM, "z", LSTM_SHAPES), "", LSTM_CODE + "g = u*o*(1-t**2)*f*(1-f)", "chain"),
    slip("lstm-output-lost", (LSTM, "z", LSTM_SHAPES), "", LSTM_CODE + "g = u*(1-t**2)*c*f*(1-f)", "missing-factor"),
    slip("lstm-other-gate", (LSTM, "z", LSTM_SHAPES), "", LSTM_CODE + "g = u*o*(1-t**2)*k*f*(1-f)", "other-factor"),
    slip("lstm-tanh-of-tanh", (LSTM, "z", LSTM_SHAPES), "", LSTM_CODE + "g = u*o*(1-np.tanh(t)**2)*c*f*(1-f)", "argument"),
    slip("gru-turned", ("u^T ((1 - sigmoid(z)) .* h + sigmoid(z) .* k)", "z", "u: n, z: n, h: n, k: n"), "u .* (h - k) .* sigmoid(z) .* (1 - sigmoid(z))", "s = 1/(1+np.exp(-z)); g = u*(h-k)*s*(1-s)", "sign"),
    slip("gru-one-side", ("u^T ((1 - sigmoid(z)) .* h + sigmoid(z) .* k)", "z", "u: n, z: n, h: n, k: n"), "u .* k .* sigmoid(z) .* (1 - sigmoid(z))", "s = 1/(1+np.exp(-z)); g = u*k*s*(1-s)", "missing-term"),
    slip("gru-added", ("u^T ((1 - sigmoid(z)) .* h + sigmoid(z) .* k)", "z", "u: n, z: n, h: n, k: n"), "u .* (k + h) .* sigmoid(z) .* (1 - sigmoid(z))", "s = 1/(1+np.exp(-z)); g = u*(k+h)*s*(1-s)", "sign-of-term"),
    # embeddings and dropout
    slip("embedding-not-accumulated", ("sum_i sum_d G_{i d} E_{y_i, d}", "E", "G: N D, E: V D, y: N"), "", "g = np.zeros_like(E); g[y] += G", "repeated"),
    slip("dropout-mask-lost-input", ("1/2 ||(M .* X) W - Y||_F^2", "W", "M: N D, X: N D, W: D K, Y: N K"), "X^T ((M .* X) W - Y)", "g = X.T@((M*X)@W - Y)", "missing-factor"),
    slip("dropout-mask-lost", ("1/2 ||(M .* X) W - Y||_F^2", "X", "M: N D, X: N D, W: D K, Y: N K"), "((M .* X) W - Y) W^T", "g = ((M*X)@W - Y)@W.T", "missing-factor"),
    slip("dropout-not-rescaled", ("sum(U .* M .* max(0, X) / p)", "X", "U: N D, M: N D, X: N D, p:"), "U .* M .* 1[X > 0]", "g = U*M*(X > 0)", "missing-factor"),
    slip("dropout-multiplied", ("sum(U .* M .* max(0, X) / p)", "X", "U: N D, M: N D, X: N D, p:"), "p U .* M .* 1[X > 0]", "g = p*U*M*(X > 0)", "power"),
    # likelihoods
    slip("gauss-mean-sign", (GAUSS, "mu", GAUSS_SHAPES), "sum(x - mu)/s^2", "g = np.sum(x - mu)/s**2", "sign"),
    slip("gauss-mean-unsummed", (GAUSS, "mu", GAUSS_SHAPES), "", "g = -(x - mu)/s**2", "unsummed"),
    slip("gauss-scale-squared", (GAUSS, "s", GAUSS_SHAPES), "-sum((x - mu).^2)/s^2 + n/s", "g = -np.sum((x - mu)**2)/s**2 + len(x)/s", "power"),
    slip("gauss-count-lost", (GAUSS, "s", GAUSS_SHAPES), "-sum((x - mu).^2)/s^3 + 1/s", "g = -np.sum((x - mu)**2)/s**3 + 1/s", "mean-of-term"),
    slip("gauss-normaliser-lost", (GAUSS, "s", GAUSS_SHAPES), "-sum((x - mu).^2)/s^3", "g = -np.sum((x - mu)**2)/s**3", "missing-term"),
    slip("precision-sign", ("1/2 (x - mu)^T P (x - mu)", "mu", "x: n, mu: n, P: n n"), "1/2 (P + P^T) (x - mu)", "g = (P + P.T)@(x - mu)/2", "sign"),
    slip("covariance-plus", (COVARIANCE, "S", COVARIANCE_SHAPES), "1/2 S^{-T} + 1/2 S^{-T} a a^T S^{-T}", "T = np.linalg.inv(S).T; g = (T + T@np.outer(a, a)@T)/2", "sign-of-term"),
    slip("covariance-determinant", (COVARIANCE, "S", COVARIANCE_SHAPES), "1/2 S^{-T}", "g = np.linalg.inv(S).T/2", "missing-term"),
    slip("covariance-not-transposed", (COVARIANCE, "S", COVARIANCE_SHAPES), "1/2 S^{-1} - 1/2 S^{-T} a a^T S^{-T}", "I = np.linalg.inv(S); T = I.T; g = (I - T@np.outer(a, a)@T)/2", "transposed-factor"),
    slip("gram-determinant-half", ("log(det(X^T X))", "X", "X: m n"), "X (X^T X)^{-1}", "g = X@np.linalg.inv(X.T@X)", "factor"),
    slip("vae-mean-twice", ("-1/2 sum(1 + v - mu.^2 - exp(v))", "mu", "v: n, mu: n"), "2 mu", "g = 2*mu", "factor"),
    slip("vae-variance-sign", ("-1/2 sum(1 + v - mu.^2 - exp(v))", "v", "v: n, mu: n"), "1/2 (1 - exp(v))", "g = (1 - np.exp(v))/2", "sign"),
    slip("vae-variance-plus", ("-1/2 sum(1 + v - mu.^2 - exp(v))", "v", "v: n, mu: n"), "-1/2 (1 + exp(v))", "g = -(1 + np.exp(v))/2", "sign-of-term"),
    slip("reparametrised-half", ("z = mu + exp(v/2) .* e; 1/2 ||z - x||^2", "v", "mu: n, v: n, e: n, x: n"), "(mu + exp(v/2) .* e - x) .* e .* exp(v/2)", "z = mu + np.exp(v/2)*e; g = (z - x)*e*np.exp(v/2)", "factor"),
    slip("reparametrised-noise-lost", ("z = mu + exp(v/2) .* e; 1/2 ||z - x||^2", "v", "mu: n, v: n, e: n, x: n"), "1/2 (mu + exp(v/2) .* e - x) .* exp(v/2)", "z = mu + np.exp(v/2)*e; g = (z - x)*np.exp(v/2)/2", "chain"),
    slip("kl-by-q-sign", ("sum(p .* (log(p) - log(q)))", "q", "p: n, q: n"), "p ./ q", "g = p/q", "sign"),
    slip("kl-by-q-weight", ("sum(p .* (log(p) - log(q)))", "q", "p: n, q: n"), "-1 ./ q", "g = -1/q", "missing-factor"),
    slip("cross-entropy-weight", ("-sum(y .* log(p))", "p", "y: n, p: n"), "-1 ./ p", "g = -1/p", "missing-factor"),
    slip("cross-entropy-itself", ("-sum(y .* log(p))", "p", "y: n, p: n"), "-y .* log(p)", "g = -y*np.log(p)", "not-differentiated"),
    slip("focal-constant", ("-(1 - p)^2 log(p)", "p", "p:"), "-(1 - p)^2 / p", "g = -(1 - p)**2/p", "constant"),
    slip("focal-inner-sign", ("-(1 - p)^2 log(p)", "p", "p:"), "-2 (1 - p) log(p) - (1 - p)^2 / p", "g = -2*(1 - p)*np.log(p) - (1 - p)**2/p", "sign-of-term"),
    slip("generator-as-real", ("-sum(log(sigmoid(d))) - sum(log(1 - sigmoid(q)))", "q", "d: n, q: n"), "sigmoid(q) - 1", "g = 1/(1+np.exp(-q)) - 1", "sign-inside"),
    # rules of calculus
    slip("quotient-not-squared", ("a^T x / (1 + x^T x)", "x", "a: n, x: n"), "a/(1 + x^T x) - 2 (a^T x) x/(1 + x^T x)", "q = 1 + x@x; g = a/q - 2*(a@x)*x/q", "power"),
    slip("product-rule-half", ("(a^T x) (b^T x)", "x", "a: n, b: n, x: n"), "(b^T x) a", "g = (b@x)*a", "missing-term"),
    slip("gram-form-half", ("x^T A^T A x", "x", "A: m n, x: n"), "A^T A x", "g = A.T@A@x", "factor"),
    slip("inner-derivative-lost", ("sum(sin(x.^2))", "x", "x: n"), "cos(x.^2)", "g = np.cos(x**2)", "chain"),
    slip("derivative-inside", ("sum(sin(x.^2))", "x", "x: n"), "2 x .* cos(2 x)", "g = 2*x*np.cos(2*x)", "argument"),
    slip("bell-sign", ("sum(exp(-x.^2 / 2))", "x", "x: n"), "x .* exp(-x.^2 / 2)", "g = x*np.exp(-x**2/2)", "sign"),
    slip("smooth-absolute-inner", ("sum(sqrt(x.^2 + c))", "x", "x: n, c:"), "1 ./ (2 sqrt(x.^2 + c))", "g = 1/(2*np.sqrt(x**2 + c))", "chain"),
    slip("smooth-absolute-twice", ("sum(sqrt(x.^2 + c))", "x", "x: n, c:"), "2 x ./ sqrt(x.^2 + c)", "g = 2*x/np.sqrt(x**2 + c)", "factor"),
    slip("smooth-absolute-root-lost", ("sum(sqrt(x.^2 + c))", "x", "x: n, c:"), "x ./ (x.^2 + c)", "g = x/(x**2 + c)", "power"),
    slip("cosine-sign", ("sum(cos(a .* x))", "x", "a: n, x: n"), "a .* sin(a .* x)", "g = a*np.sin(a*x)", "sign"),
    slip("trace-symmetric", ("tr(X^T A X)", "X", "A: n n, X: n k"), "2 A X", "g = 2*A@X", "transposed-factor"),
    slip("inverse-sign", ("tr(A X^{-1} B)", "X", "A: n n, X: n n, B: n n"), "(X^{-1} B A X^{-1})^T", "I = np.linalg.inv(X); g = (I@B@A@I).T", "sign"),
    slip("inverse-once", ("a^T X^{-1} b", "X", "a: n, X: n n, b: n"), "-a b^T X^{-T}", "g = -np.outer(a, b)@np.linalg.inv(X).T", "missing-factor"),
    slip("trace-not-transposed", ("tr(X A)", "X", "A: n n, X: n n"), "A", "g = A", "transposed"),
    slip("determinant-not-transposed", ("det(X)", "X", "X: n n"), "det(X) X^{-1}", "g = np.linalg.det(X)*np.linalg.inv(X)", "transposed"),
    slip("swish-inner", ("sum(x .* sigmoid(b x))", "x", "x: n, b:"), "sigmoid(b x) + x .* sigmoid(b x) .* (1 - sigmoid(b x))", "s = 1/(1+np.exp(-b*x)); g = s + x*s*(1-s)", "chain"),
    slip("swish-as-sigmoid", ("sum(x .* sigmoid(b x))", "x", "x: n, b:"), "b x .* sigmoid(b x) .* (1 - sigmoid(b x))", "s = 1/(1+np.exp(-b*x)); g = b*x*s*(1-s)", "missing-term"),
    slip("pairs-counted-once", ("sum_i sum_j (x_i - x_j)^2", "x", "x: n"), "2 n (x - mean(x))", "g = 2*len(x)*(x - x.mean())", "factor"),
    slip("power-not-lowered", ("sum(x.^4)", "x", "x: n"), "4 x.^4", "g = 4*x**4", "power"),
    slip("logarithm-of-derivative", ("log(x^T x)", "x", "x: n"), "1/(2 x)", "g = 1/(2*x)", ""),
    slip("log-inner-lost", ("log(a^T x)", "x", "a: n, x: n"), "ones / (a^T x)", "g = np.ones_like(x)/(a@x)", "missing-factor"),
    slip("entropy-plus", ("-sum(p .* log(p))", "p", "p: n"), "-log(p) + 1", "g = -np.log(p) + 1", "sign-of-term"),
    slip("max-of-all", ("sum(max(W x, 0)) + max(x)", "x", "W: m n, x: n"), "W^T 1[W x > 0] + 1", "g = W.T@(W@x > 0) + 1", "mask"),
]  # fmt: skip
