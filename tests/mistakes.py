"""Mistakes that people made: a function, a wrong gradient as a formula and as NumPy code, and how it must be named."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A wrong answer to ∂ function / ∂ wrt; `code` computes g from arrays by name, `finding` is what is to be said."""

    name: str
    function: str
    wrt: str
    claim: str
    code: str
    finding: str
    words: str = ""
    shapes: str = ""


SOFTMAX = "S = X W; 1/N sum_i (log(sum_k exp(S_{ik})) - S_{i,y_i})"
SOFTMAX_SHAPES = "X: N D, W: D C, y: N"
P = "S = X@W; P = np.exp(S - S.max(1, keepdims=True)); P = P/P.sum(1, keepdims=True); r = np.arange(len(X))\n"
SVM = "S = X W; 1/N sum_i sum_{j != y_i} max(0, S_{ij} - S_{i,y_i} + 1)"
B = "S = X@W; r = np.arange(len(X)); B = (S - S[r, y][:, None] + 1 > 0)*1.0\n"
B0 = B + "B[r, y] = 0\n"
NET = "Z = X W_1; H = max(0, Z); O = H W_2; 1/2 ||O - Y||_F^2"
NET_SHAPES = "X: N D, W_1: D M, W_2: M M, Y: N M"
RIDGE = "1/N ||X w - y||^2 + lam ||w||^2"
RIDGE_SHAPES = "X: N D, w: D, y: N, lam:"
SQUARE = "X: n n, a: n, b: n"

MISTAKES = [
    Mistake("quad-missing-2", "||W x||^2", "W", "W x x^T", "g = np.outer(W@x, x)", "factor", "0.5"),
    Mistake(
        "quad-transposed", "||W x||^2", "W", "2 x (W x)^T", "g = 2*np.outer(x, W@x)", "transposed", shapes="W: n n, x: n"
    ),
    Mistake(
        "reg-missing", RIDGE, "w", "2/N X^T (X w - y)", "g = 2*X.T@(X@w - y)/len(y)", "missing-term", "λ",
        shapes=RIDGE_SHAPES,
    ),
    Mistake(
        "reg-loss-in-gradient", RIDGE, "w", "2/N X^T (X w - y) + lam ||w||^2 ones",
        "g = 2*X.T@(X@w - y)/len(y) + lam*np.sum(w*w)", "not-differentiated", shapes=RIDGE_SHAPES,
    ),
    Mistake(
        "reg-scaled-by-N", "1/N (||X w - y||^2 + lam ||w||^2)", "w", "2/N X^T (X w - y) + 2 lam w",
        "g = 2*X.T@(X@w - y)/len(y) + 2*lam*w", "mean-of-term", "1/N", shapes=RIDGE_SHAPES,
    ),
    Mistake(
        "reg-twice-too-small", RIDGE, "w", "2/N X^T (X w - y) + lam w", "g = 2*X.T@(X@w - y)/len(y) + lam*w",
        "factor-of-term", "0.5", shapes=RIDGE_SHAPES,
    ),
    Mistake(
        "softmax-no-onehot", SOFTMAX, "W", "1/N X^T softmax(X W)", P + "g = X.T@P/len(X)", "missing-term",
        shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "softmax-extra-derivative", SOFTMAX, "W", "1/N X^T ((softmax(X W) - onehot(y)) .* softmax(X W) .* (1 - softmax(X W)))",
        P + "D = P.copy(); D[r, y] -= 1; g = X.T@(D*P*(1-P))/len(X)", "extra", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "softmax-axis", SOFTMAX, "W", "1/N X^T (softmax((X W)^T)^T - onehot(y))",
        P + "P = np.exp(S); P = P/P.sum(0, keepdims=True); P[r, y] -= 1; g = X.T@P/len(X)", "axis", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "softmax-jac-diag", "u^T softmax(s)", "s", "u .* softmax(s) .* (1 - softmax(s))",
        "p = np.exp(s)/np.exp(s).sum(); g = u*p*(1-p)", "diagonal",
    ),
    Mistake("bce-logit-extra", "a = sigmoid(z); -sum(y .* log(a) + (1 - y) .* log(1 - a))", "z",
        "(sigmoid(z) - y) .* sigmoid(z) .* (1 - sigmoid(z))", "a = 1/(1+np.exp(-z)); g = (a-y)*a*(1-a)", "extra",
        shapes="y: n, z: n"),
    Mistake(
        "svm-correct-class-once", SVM, "W", "", B0 + "B[r, y] = -1.0; g = X.T@B/len(X)", "count", "once",
        shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "svm-no-correct-class", SVM, "W", "", B0 + "g = X.T@B/len(X)", "constant", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "svm-counts-correct-class", SVM, "W", "", B + "c = B.sum(1); B[r, y] = 0; B[r, y] = -c; g = X.T@B/len(X)",
        "count", "among", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "svm-missing-margin", SVM, "W", "", "S = X@W; r = np.arange(len(X)); B = (S - S[r, y][:, None] > 0)*1.0\n"
        "B[r, y] = -B.sum(1); g = X.T@B/len(X)", "mask", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "svm-missing-N", SVM, "W", "", B0 + "B[r, y] = -B.sum(1); g = X.T@B", "mean", shapes=SOFTMAX_SHAPES,
    ),
    Mistake(
        "sqhinge-missing-2m", "sum(max(0, 1 - y .* (X w))^2)", "w", "-X^T (y .* 1[1 - y .* (X w) > 0])",
        "v = (1 - y*(X@w) > 0); g = -X.T@(v*y)", "chain", shapes="X: N D, w: D, y: N",
    ),
    Mistake(
        "chain-missing-W2", NET, "W_1", "X^T ((H W_2 - Y) .* 1[X W_1 > 0])",
        "H = np.maximum(0, X@W_1); g = X.T@((H@W_2 - Y)*(H > 0))", "chain", "O", shapes=NET_SHAPES,
    ),
    Mistake(
        "chain-W2-not-transposed", NET, "W_1", "X^T (((H W_2 - Y) W_2) .* 1[X W_1 > 0])",
        "H = np.maximum(0, X@W_1); g = X.T@(((H@W_2 - Y)@W_2)*(H > 0))", "transposed-factor", "W_2", shapes=NET_SHAPES,
    ),
    Mistake("relu-mask-missing", NET, "W_1", "X^T ((H W_2 - Y) W_2^T)",
        "H = np.maximum(0, X@W_1); g = X.T@((H@W_2 - Y)@W_2.T)", "chain", "H", shapes=NET_SHAPES),
    Mistake("relu-mask-wrong-side", NET, "W_1", "X^T (((H W_2 - Y) W_2^T) .* 1[X W_1 < 0])",
        "H = np.maximum(0, X@W_1); g = X.T@(((H@W_2 - Y)@W_2.T)*(X@W_1 < 0))", "mask", shapes=NET_SHAPES),
    Mistake("sigmoid-deriv-on-z", "sum(sigmoid(z))", "z", "z .* (1 - z)", "g = z*(1-z)", "argument"),
    Mistake(
        "sigmoid-twice", "sum(sigmoid(z))", "z", "sigmoid(sigmoid(z)) .* (1 - sigmoid(sigmoid(z)))",
        "a = 1/(1+np.exp(-z)); s = 1/(1+np.exp(-a)); g = s*(1-s)", "argument",
    ),
    Mistake("sigmoid-missing-1-minus-a", "sum(sigmoid(z))", "z", "sigmoid(z)", "g = 1/(1+np.exp(-z))", "chain"),
    Mistake(
        "mse-sigmoid-missing-deriv", "a = sigmoid(X w); 1/2 ||a - y||^2", "w", "X^T (sigmoid(X w) - y)",
        "a = 1/(1+np.exp(-(X@w))); g = X.T@(a-y)", "chain", shapes="X: N D, w: D, y: N",
    ),
    Mistake("tanh-on-z", "sum(tanh(z))", "z", "1 - z.^2", "g = 1 - z**2", "argument", shapes="z: n"),
    Mistake("swish-product-rule", "sum(x .* sigmoid(x))", "x", "sigmoid(x)", "g = 1/(1+np.exp(-x))", "constant", "sigmoid(x)"),
    Mistake(
        "bias-mean", "sum(U .* (X W + ones b^T).^2)", "b", "",
        "D = 2*U*(X@W + b); g = D.mean(0)", "mean", "once too often", shapes="X: N D, W: D M, b: M, U: N M",
    ),
    Mistake(
        "bias-keepdims", "sum(U .* (X W + ones b^T).^2)", "b", "",
        "D = 2*U*(X@W + b); g = D.sum(0, keepdims=True)", "layout", "numerator", shapes="X: N D, W: D M, b: M, U: N M",
    ),
    Mistake(
        "bias-unsummed", "sum(U .* (X W + ones b^T).^2)", "b", "",
        "g = 2*U*(X@W + b)", "unsummed", shapes="X: N D, W: D M, b: M, U: N M",
    ),
    Mistake(
        "logdet-no-transpose", "log(abs(det(X)))", "X", "X^{-1}", "g = np.linalg.inv(X)", "transposed", shapes="X: n n",
    ),
    Mistake(
        "inverse-transpose", "a^T X^{-1} b", "X", "-X^{-1} b a^T X^{-1}",
        "Xi = np.linalg.inv(X); g = -np.outer(Xi@b, Xi.T@a)", "transposed", shapes=SQUARE,
    ),
    Mistake("xTa-outer-order", "u^T W v", "W", "v u^T", "g = np.outer(v, u)", "transposed", shapes="u: n, W: n n, v: n"),
    Mistake(
        "cosine-projection", "w^T x / (||w|| ||x||)", "w", "x / (||w|| ||x||)",
        "g = x/(np.sqrt(w@w)*np.sqrt(x@x))", "constant", "‖w‖", shapes="w: n, x: n",
    ),
    Mistake(
        "rnn-truncated", "h_1 = tanh(W h_0); h_2 = tanh(W h_1); u^T h_2", "W", "",
        "h1 = np.tanh(W@h_0); h2 = np.tanh(W@h1); g = np.outer(u*(1-h2**2), h1)", "constant", "h_1",
        shapes="W: n n, h_0: n, u: n",
    ),
    Mistake(
        "kl-logvar", "1/2 sum(exp(v) + mu.^2 - 1 - v)", "v", "1/2 exp(v)", "g = 0.5*np.exp(v)", "missing-term",
        shapes="v: n, mu: n",
    ),
    Mistake(
        "huber-no-clip", r"\sum_i \begin{cases} \frac12 r_i^2 & |r_i| \le 1 \\ |r_i| - \frac12 & \text{otherwise} \end{cases}",
        "r", "r", "g = r", "branch", shapes="r: n",
    ),
    Mistake(
        "w2v-neg-sign", "-log(sigmoid(u^T v)) - sum(log(sigmoid(-(K v))))", "v",
        "(sigmoid(u^T v) - 1) u + K^T (sigmoid(K v) - 1)",
        "s = lambda t: 1/(1+np.exp(-t)); g = (s(u@v)-1)*u + K.T@(s(K@v)-1)", "sign-inside", shapes="u: n, v: n, K: k n",
    ),
    Mistake(
        "mean-constant", "m = mean(x); sum(u .* (x - m).^2)", "x", "2 u .* (x - mean(x))", "g = 2*u*(x - x.mean())",
        "constant", "m", shapes="x: n, u: n",
    ),
    Mistake(
        "batchnorm-missing-mean-path",
        "m_j = 1/N sum_i X_{ij}; v_j = 1/N sum_i (X_{ij} - m_j)^2; sum_i sum_j U_{ij} (X_{ij} - m_j) / sqrt(v_j + 0.00001)",
        "X", "",
        "N = len(X); mu = X.mean(0); v = ((X-mu)**2).mean(0); s = np.sqrt(v+1e-5); xh = (X-mu)/s\n"
        "g = (N*U - xh*(U*xh).sum(0))/(N*s)", "constant", "ones", shapes="X: N D, U: N D",
    ),
    Mistake(
        "lse-max-shift", "m = max(s); log(sum(exp(s - m))) + m", "s", "softmax(s) + argmax(s)",
        "e = np.exp(s - s.max()); g = e/e.sum(); g[np.argmax(s)] += 1", "constant", shapes="s: n",
    ),
    Mistake(
        "logsoftmax-added", "u^T log_softmax(s)", "s", "u + softmax(s)",
        "p = np.exp(s)/np.exp(s).sum(); g = u + p", "rule", shapes="s: n, u: n",
    ),
    Mistake("product-swapped", "u x y", "x", "u x", "g = u*x", "variable", "by y", shapes="u:, x:, y:"),
    Mistake("log-base-10", "-log(p)", "p", "-1/(p log(10))", "g = -1/(p*np.log(10))", "factor", shapes="p:"),
    Mistake("conv-not-flipped", "sum_k u_k sum_j w_j x_{k+j}", "x", "", "g = np.convolve(u, w[::-1])", "flipped", "w", shapes="w: m, u: k"),
    Mistake("mean-over-the-wrong-axis", "1/N sum(G .* (X W + ones b^T))", "b", "", "g = G.sum(0)/G.shape[1]", "mean", shapes="X: N D, W: D M, b: M, G: N M"),
    Mistake("mean-only-in-the-data-term", "1/N (||X w - y||^2 + lam ||w||^2)", "w", "2 X^T (X w - y) + 2 lam/N w", "g = 2*X.T@(X@w-y) + 2*lam/len(y)*w", "mean-of-term", shapes=RIDGE_SHAPES),
    Mistake("mean-missing-in-the-data-term", RIDGE, "w", "2 X^T (X w - y) + 2 lam w", "g = 2*X.T@(X@w-y) + 2*lam*w", "mean-of-term", shapes=RIDGE_SHAPES),
    Mistake("sign-of-one-term", RIDGE, "w", "2/N X^T (X w - y) - 2 lam w", "g = 2*X.T@(X@w-y)/len(y) - 2*lam*w", "sign-of-term", shapes=RIDGE_SHAPES),
    Mistake("residual-reversed", RIDGE, "w", "2/N X^T (y - X w) + 2 lam w", "g = 2*X.T@(y-X@w)/len(y) + 2*lam*w", "sign-of-term", shapes=RIDGE_SHAPES),
    Mistake("sigmoid-plus", "sum(sigmoid(z))", "z", "sigmoid(z) .* (1 + sigmoid(z))", "a = 1/(1+np.exp(-z)); g = a*(1+a)", "rule"),
    Mistake("tanh-without-square", "sum(tanh(z))", "z", "1 - tanh(z)", "g = 1 - np.tanh(z)", "rule", shapes="z: n"),
    Mistake("tanh-plus", "sum(tanh(z))", "z", "1 + tanh(z)^2", "g = 1 + np.tanh(z)**2", "rule", shapes="z: n"),
    Mistake("W-for-its-transpose", "1/2 ||W x - b||^2", "x", "W (W x - b)", "g = W@(W@x-b)", "transposed-factor", shapes="W: n n, x: n, b: n"),
    Mistake("sum-for-mean", "1/N sum((X w - y)^2)", "w", "2 X^T (X w - y)", "g = 2*X.T@(X@w-y)", "mean", shapes="X: N D, w: D, y: N"),
    Mistake("mean-for-sum", "sum((X w - y)^2)", "w", "2/N X^T (X w - y)", "g = 2*X.T@(X@w-y)/len(y)", "mean", shapes="X: N D, w: D, y: N"),
    Mistake("mean-over-features", "1/N sum((X w - y)^2)", "w", "2/D X^T (X w - y)", "g = 2*X.T@(X@w-y)/len(w)", "mean", shapes="X: N D, w: D, y: N"),
    Mistake("off-by-one-label", "-log(softmax(s)_y)", "s", "", "p = np.exp(s)/np.exp(s).sum(); p[(y-1) % len(s)] -= 1; g = p", "label", shapes="s: C, y:"),
    Mistake("off-by-one-label-wrapping", "-log(softmax(s)_y)", "s", "", "p = np.exp(s)/np.exp(s).sum(); p[(y+1) % len(s)] -= 1; g = p", "label", shapes="s: C, y:"),
    Mistake("norm-for-squared-norm", "||x||^2", "x", "x / ||x||", "g = x/np.sqrt(x@x)", "power", "norm", shapes="x: n"),
    Mistake("squared-norm-for-norm", "||W x||", "x", "2 W^T W x", "g = 2*W.T@W@x", "chain", shapes="W: m n, x: n"),
    Mistake("symmetric-assumed", "x^T A x", "x", "2 A x", "g = 2*A@x", "transposed-factor", shapes="A: n n, x: n"),
    Mistake("symmetric-assumed-transposed", "x^T A x", "x", "2 A^T x", "g = 2*A.T@x", "transposed-factor", shapes="A: n n, x: n"),
    Mistake("quadratic-half", "x^T A x", "x", "A x", "g = A@x", "missing-term", shapes="A: n n, x: n"),
    Mistake("log-base-2", "-sum(p .* log(p))", "p", "-log(p)/log(2) - 1/log(2)", "g = -np.log2(p) - 1/np.log(2)", "factor", shapes="p: n"),
    Mistake("log-base-2-half", "-sum(p .* log(p))", "p", "-log(p)/log(2) - 1", "g = -np.log2(p) - 1", "log-base", shapes="p: n"),
    Mistake("relu-mask-of-output", NET, "W_1", "", "g = X.T@((np.maximum(0,X@W_1)@W_2 - Y)@W_2.T*(np.maximum(0,X@W_1) >= 0))", "chain", shapes=NET_SHAPES),
    Mistake("entropy-missing-one", "-sum(p .* log(p))", "p", "-log(p)", "g = -np.log(p)", "constant", shapes="p: n"),
    Mistake("leaky-as-relu", "sum(leaky_relu(z))", "z", "1[z > 0]", "g = (z > 0)*1.0", "branch", shapes="z: n"),
    Mistake("l1-not-sign", "||X w - y||^2 + lam ||w||_1", "w", "2 X^T (X w - y) + lam ones", "g = 2*X.T@(X@w-y) + lam", "chain", shapes="X: N D, w: D, y: N, lam:"),
    Mistake("l1-w", "||X w - y||^2 + lam ||w||_1", "w", "2 X^T (X w - y) + lam w", "g = 2*X.T@(X@w-y) + lam*w", "argument", shapes="X: N D, w: D, y: N, lam:"),
    Mistake("outer-order-square", "1/2 ||W x - y||^2", "W", "x (W x - y)^T", "g = np.outer(x, W@x-y)", "transposed", shapes="W: n n, x: n, y: n"),
    Mistake("product-order", "tr(A X B)", "X", "B A", "g = B@A", "transposed", shapes="A: n n, X: n n, B: n n"),
    Mistake("exp-power-rule", "sum(exp(a .* x))", "x", "exp(a .* x)", "g = np.exp(a*x)", "chain", shapes="a: n, x: n"),
    Mistake("bce-sign", "-sum(y .* log(sigmoid(z)) + (1 - y) .* log(1 - sigmoid(z)))", "z", "y - sigmoid(z)", "g = y - 1/(1+np.exp(-z))", "sign", shapes="y: n, z: n"),
    Mistake("softmax-plus-onehot", SOFTMAX, "W", "1/N X^T (softmax(X W) + onehot(y))", P + "P[r,y] += 1; g = X.T@P/len(X)", "sign-of-term", shapes=SOFTMAX_SHAPES),
    Mistake("softmax-axis-code", "u^T softmax(A x)", "x", "", "p = np.exp(A@x)/np.exp(A@x).sum(); g = A.T@(u*p)", "diagonal", shapes="A: k n, u: k, x: n"),
    Mistake("temperature-missing", "t = 3; -log(softmax(s / 3)_y)", "s", "softmax(s/3) - onehot(y)", "p = np.exp(s/3)/np.exp(s/3).sum(); p[y] -= 1; g = p", "factor", shapes="s: C, y:"),
    Mistake("attention-scale", "sum(U .* (softmax(Q K^T / sqrt(d)) V))", "V", "softmax(Q K^T)^T U", "S = Q@K.T; E = np.exp(S-S.max(1,keepdims=True)); P = E/E.sum(1,keepdims=True); g = P.T@U", "argument", shapes="Q: n d, K: m d, V: m e, U: n e"),
    Mistake("regulariser-on-all", "||X w - y||^2 + lam ||w||^2", "w", "2 X^T (X w - y) + 2 lam", "g = 2*X.T@(X@w-y) + 2*lam", "missing-factor", shapes="X: N D, w: D, y: N, lam:"),
    Mistake("hinge-mask-ge-wrong-sign", "sum(max(0, 1 - y .* (X w)))", "w", "X^T (y .* 1[1 - y .* (X w) > 0])", "v=(1-y*(X@w)>0); g = X.T@(v*y)", "sign", shapes="X: N D, w: D, y: N"),
    Mistake("hinge-mask-missing", "sum(max(0, 1 - y .* (X w)))", "w", "-X^T y", "g = -X.T@y", "chain", shapes="X: N D, w: D, y: N"),
    Mistake("division-quotient", "a^T x / (b^T x)", "x", "a / (b^T x) + (a^T x) b / (b^T x)^2", "g = a/(b@x) + (a@x)*b/(b@x)**2", "sign-of-term", shapes="a: n, b: n, x: n"),
    Mistake("logsumexp-no-normal", "log(sum(exp(s)))", "s", "exp(s)", "g = np.exp(s)", "normalisation", shapes="s: n"),
    Mistake("b-dropped", "||A x - b||^2", "x", "2 A^T A x", "g = 2*A.T@A@x", "missing-term", shapes="A: m n, x: n, b: m"),
    Mistake("b-sign", "||A x - b||^2", "x", "2 A^T (A x + b)", "g = 2*A.T@(A@x+b)", "sign-of-term", shapes="A: m n, x: n, b: m"),
    Mistake("logistic-y-missing", "sum(log(1 + exp(-y .* (X w))))", "w", "", "s = 1/(1+np.exp(y*(X@w))); g = -X.T@s", "missing-factor", shapes="X: N D, w: D, y: N"),
    Mistake("logistic-sigma-arg", "sum(log(1 + exp(-y .* (X w))))", "w", "", "s = 1/(1+np.exp(-y*(X@w))); g = -X.T@(y*s)", "sign-inside", shapes="X: N D, w: D, y: N"),
    Mistake("power-rule-2", "sum(x^3)", "x", "x^2", "g = x**2", "factor", shapes="x: n"),
    Mistake("quotient-order", "a^T x / (b^T x)", "x", "", "g = ((a@x)*b - (b@x)*a)/(b@x)**2", "sign", shapes="a: n, b: n, x: n"),
    Mistake("det-without-inverse", "det(X)", "X", "", "g = np.linalg.inv(X).T", "missing-factor", shapes="X: n n"),
    Mistake("softmax-mean-over-classes", SOFTMAX, "W", "", P + "P[r,y]-=1; g=X.T@P/P.shape[1]", "mean", shapes=SOFTMAX_SHAPES),
    Mistake("softmax-onehot-scaled", SOFTMAX, "W", "", P + "P[r,y]-=2; g=X.T@P/len(X)", "factor-of-term", shapes=SOFTMAX_SHAPES),
    Mistake("net-W1-after-relu", NET, "W_2", "", "Z=X@W_1; H=np.maximum(0,Z); g=Z.T@(H@W_2-Y)", "argument", shapes=NET_SHAPES),
    Mistake("net-X-for-H", NET, "W_1", "", "H = np.maximum(0, X@W_1); g = X.T@((H@W_2 - Y)@W_2.T*H)", "mask", shapes=NET_SHAPES),
    Mistake("attention-axis", "sum(U .* (softmax(Q K^T / sqrt(d)) V))", "V", "", "S = Q@K.T/np.sqrt(Q.shape[1]); E = np.exp(S-S.max(0)); P = E/E.sum(0); g = P.T@U", "axis", shapes="Q: n d, K: m d, V: m e, U: n e"),
    Mistake("kl-p", "sum(p .* log(p ./ q))", "p", "log(p ./ q)", "g = np.log(p/q)", "constant", shapes="p: n, q: n"),
    Mistake("layernorm-sigma", "m = mean(x); s = sqrt(mean((x-m)^2)); u^T ((x - m) / s)", "x", "", "m=x.mean(); s=x.std(); g=(u-u.mean())/s", "constant", shapes="x: n, u: n"),
    Mistake("batch-mean-W", "1/N sum((X W - Y).^2)", "W", "", "g=2*X.T@(X@W-Y)/X.shape[1]", "mean", shapes="X: N D, W: D M, Y: N M"),
]  # fmt: skip
