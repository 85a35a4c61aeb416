"""Right programs as students write them: a function, its variable, and the body of a program that gives the gradient."""

from __future__ import annotations

LINEAR = "X: N D, w: D, y: N"
CLASSES = "X: N D, W: D C, y: N"
MSE = "1/N sum((X w - y)^2)"
SOFTMAX = "S = X W; 1/N sum_i (log(sum_k exp(S_{ik})) - S_{i,y_i})"
SVM = "S = X W; 1/N sum_i sum_{j != y_i} max(0, S_{ij} - S_{i,y_i} + 1)"
HINGE = "1/N sum(max(0, 1 - y .* (X w))) + lam/2 ||w||^2"
LOGISTIC = "1/N sum(log(1 + exp(-y .* (X w))))"
NET = "Z = X W_1 + ones b_1^T; H = max(0, Z); O = H W_2; 1/2 ||O - Y||_F^2"
NET_SHAPES = "X: N D, W_1: D M, b_1: M, W_2: M K, Y: N K"
BATCH = (
    "m_j = 1/N sum_i X_{ij}; v_j = 1/N sum_i (X_{ij} - m_j)^2; sum_i sum_j U_{ij} (X_{ij} - m_j) / sqrt(v_j + 0.00001)"
)
LAYER = "m = mean(x); s = sqrt(mean((x-m)^2) + 0.00001); u^T ((x - m) / s)"
ATTENTION = "sum(U .* (softmax(Q K^T / sqrt(d)) V))"
ATTENTION_SHAPES = "Q: n d, K: m d, V: m e, U: n e"

#: name: (function, variable, shapes, body)
HOMEWORK: dict[str, tuple[str, str, str, str]] = {
    # linear models
    "loop over examples": (MSE, "w", LINEAR, "N, D = X.shape\ngrad = np.zeros(D)\nfor i in range(N):\n    grad += 2 * (X[i].dot(w) - y[i]) * X[i]\nreturn grad / N"),
    "loop over entries": (MSE, "w", LINEAR, "N, D = X.shape\ng = np.zeros(D)\nfor j in range(D):\n    for i in range(N):\n        g[j] += 2 * (X[i] @ w - y[i]) * X[i, j] / N\nreturn g"),
    "loop over features": (MSE, "w", LINEAR, "r = X @ w - y\ng = np.zeros_like(w)\nfor j in range(len(w)):\n    g[j] = 2 * np.mean(r * X[:, j])\nreturn g"),
    "zip": (MSE, "w", LINEAR, "total = 0\nfor row, target in zip(X, y):\n    total = total + 2 * (row @ w - target) * row\nreturn total / len(X)"),
    "enumerate": (MSE, "w", LINEAR, "g = np.zeros(w.shape)\nfor i, row in enumerate(X):\n    g += 2 * row * (np.dot(row, w) - y[i])\nreturn g / X.shape[0]"),
    "comprehension": (MSE, "w", LINEAR, "return np.mean([2 * (X[i] @ w - y[i]) * X[i] for i in range(len(y))], axis=0)"),
    "comprehension over features": (MSE, "w", LINEAR, "r = X @ w - y\nreturn np.array([2 * np.mean(r * X[:, j]) for j in range(X.shape[1])])"),
    "sum of a generator": (MSE, "w", LINEAR, "return sum(2 * (x @ w - t) * x for x, t in zip(X, y)) / len(X)"),
    "list and stack": (MSE, "w", LINEAR, "rows = []\nfor i in range(X.shape[0]):\n    rows.append((X[i] @ w - y[i]) * X[i])\nreturn 2 * np.stack(rows).mean(axis=0)"),
    "column vectors": (MSE, "w", LINEAR, "wc = w.reshape(-1, 1)\nyc = y[:, None]\ng = 2 / len(y) * X.T @ (X @ wc - yc)\nreturn g.ravel()"),
    "einsum": (MSE, "w", LINEAR, "r = np.einsum('nd,d->n', X, w) - y\nreturn 2 * np.einsum('nd,n->d', X, r) / y.shape[0]"),
    "broadcast and sum": (MSE, "w", LINEAR, "r = X @ w - y\nreturn (2 * r[:, np.newaxis] * X).sum(axis=0) / r.size"),
    "normal equations": (MSE, "w", LINEAR, "N = float(X.shape[0])\nreturn (2.0 / N) * (X.T.dot(X).dot(w) - X.T.dot(y))"),
    "a helper": (MSE, "w", LINEAR, "def predict(X, w):\n    return X @ w\ndef residual():\n    return predict(X, w) - y\nreturn 2 * X.T @ residual() / len(y)"),
    "a default argument": (MSE, "w", LINEAR, "def scaled(v, factor=2.0):\n    return factor * v\nreturn scaled(X.T @ (X @ w - y)) / len(y)"),
    "a lambda": (MSE, "w", LINEAR, "residual = lambda i: X[i] @ w - y[i]\nr = X @ w - y\nreturn 2 * np.dot(r, X) / len(r)"),
    "an early return": (MSE, "w", LINEAR, "if X.ndim != 2:\n    return None\nif w.ndim == 1:\n    return 2 * X.T @ (X @ w - y) / len(X)\nraise ValueError('shape')"),
    "asserts": (MSE, "w", LINEAR, "assert X.shape[0] == y.shape[0]\nassert X.shape[1] == len(w)\nreturn 2 * X.T @ (X @ w - y) / len(X)"),
    "a dictionary": (MSE, "w", LINEAR, "cache = {'X': X, 'r': X @ w - y}\ngrads = {}\ngrads['w'] = 2 * cache['X'].T @ cache['r'] / len(y)\nreturn grads['w']"),
    "a bias in the weights": ("1/N sum((X w + b ones - y)^2)", "w", LINEAR + ", b:", "Xb = np.hstack([X, np.ones((len(X), 1))])\nwb = np.append(w, b)\ng = 2 / len(X) * Xb.T @ (Xb @ wb - y)\nreturn g[:-1]"),
    "ridge": ("1/N ||X w - y||^2 + lam ||w||^2", "w", LINEAR + ", lam:", "g = X.T @ (X @ w - y)\ng *= 2\ng /= X.shape[0]\ng += 2 * lam * w\nreturn g"),
    "lasso": ("||X w - y||^2 + lam ||w||_1", "w", LINEAR + ", lam:", "sub = np.where(w > 0, 1.0, np.where(w < 0, -1.0, 0.0))\nreturn 2 * X.T @ (X @ w - y) + lam * sub"),
    "weighted": ("sum(s .* (X w - y).^2)", "w", LINEAR + ", s: N", "return 2 * X.T @ np.diag(s) @ (X @ w - y)"),
    # logistic and hinge
    "logistic": (LOGISTIC, "w", LINEAR, "m = y * X.dot(w)\np = 1.0 / (1.0 + np.exp(m))\nreturn -(X * (y * p)[:, None]).mean(0)"),
    "logistic in a loop": (LOGISTIC, "w", LINEAR, "g = np.zeros_like(w)\nfor i in range(X.shape[0]):\n    z = y[i] * np.dot(w, X[i])\n    g -= y[i] * X[i] / (1 + np.exp(z))\nreturn g / X.shape[0]"),
    "stable sigmoid": ("p = sigmoid(X w); -1/N sum(y .* log(p) + (1 - y) .* log(1 - p))", "w", LINEAR, "z = X @ w\na = np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))\nreturn X.T @ (a - y) / len(y)"),
    "hinge": (HINGE, "w", LINEAR + ", lam:", "active = (y * (X @ w) < 1).astype(float)\nreturn lam * w - X.T @ (active * y) / len(y)"),
    "hinge in a loop": (HINGE, "w", LINEAR + ", lam:", "g = np.zeros_like(w)\nfor i in range(len(y)):\n    if y[i] * (X[i] @ w) < 1:\n        g += -y[i] * X[i]\ng /= len(y)\ng += lam * w\nreturn g"),
    "hinge by a boolean index": (HINGE, "w", LINEAR + ", lam:", "mask = y * (X @ w) < 1\ng = -(X[mask] * y[mask][:, None]).sum(axis=0) / len(y)\nreturn g + lam * w"),
    # softmax
    "softmax": (SOFTMAX, "W", CLASSES, "S = X.dot(W)\nS -= np.max(S, axis=1, keepdims=True)\nP = np.exp(S)\nP /= np.sum(P, axis=1, keepdims=True)\nP[np.arange(X.shape[0]), y] -= 1\nreturn X.T.dot(P) / X.shape[0]"),
    "softmax by one-hot": (SOFTMAX, "W", CLASSES, "C = W.shape[1]\nY = np.eye(C)[y]\nE = np.exp(X @ W)\nP = E / E.sum(1)[:, None]\nreturn X.T @ (P - Y) / len(X)"),
    "softmax in loops": (SOFTMAX, "W", CLASSES, "dW = np.zeros_like(W)\nN, C = X.shape[0], W.shape[1]\nfor i in range(N):\n    s = X[i].dot(W)\n    p = np.exp(s - s.max())\n    p = p / p.sum()\n    for j in range(C):\n        dW[:, j] += X[i] * (p[j] - (j == y[i]))\nreturn dW / N"),
    "softmax an example at a time": (SOFTMAX, "W", CLASSES, "dW = np.zeros(W.shape)\nfor i in range(len(X)):\n    s = X[i] @ W\n    p = np.exp(s) / np.sum(np.exp(s))\n    p[y[i]] -= 1\n    dW += np.outer(X[i], p)\nreturn dW / len(X)"),
    "log-sum-exp": (SOFTMAX, "W", CLASSES, "S = X @ W\nm = S.max(axis=1, keepdims=True)\nlse = m + np.log(np.exp(S - m).sum(axis=1, keepdims=True))\nG = np.exp(S - lse)\nG[range(len(y)), y] -= 1\nG = G / len(y)\nreturn X.T @ G"),
    "softmax with put": (SOFTMAX, "W", CLASSES, "P = np.exp(X @ W)\nP = P / P.sum(axis=-1, keepdims=True)\nY = np.zeros_like(P)\nnp.put_along_axis(Y, y[:, None], 1.0, axis=1)\nreturn X.T @ (P - Y) / P.shape[0]"),
    "softmax scores": ("-log(softmax(s)_y)", "s", "s: C, y:", "p = np.exp(s - np.max(s))\np = p / np.sum(p)\np[y] -= 1\nreturn p"),
    "softmax Jacobian": ("u^T softmax(s)", "s", "u: n, s: n", "p = np.exp(s) / np.exp(s).sum()\nJ = np.diag(p) - np.outer(p, p)\nreturn J @ u"),
    "softmax Jacobian in loops": ("u^T softmax(s)", "s", "u: n, s: n", "n = len(s)\np = np.exp(s) / np.exp(s).sum()\nJ = np.zeros((n, n))\nfor i in range(n):\n    for j in range(n):\n        J[i, j] = p[i] * ((i == j) - p[j])\nreturn J.T @ u"),
    # multiclass hinge
    "svm": (SVM, "W", CLASSES, "N = X.shape[0]\nS = X @ W\ncorrect = S[np.arange(N), y].reshape(-1, 1)\nM = np.maximum(0, S - correct + 1)\nM[np.arange(N), y] = 0\nB = (M > 0).astype(float)\nB[np.arange(N), y] = -B.sum(axis=1)\nreturn X.T @ B / N"),
    "svm in loops": (SVM, "W", CLASSES, "dW = np.zeros(W.shape)\nC = W.shape[1]\nN = X.shape[0]\nfor i in range(N):\n    scores = X[i].dot(W)\n    correct = scores[y[i]]\n    for j in range(C):\n        if j == y[i]:\n            continue\n        margin = scores[j] - correct + 1\n        if margin > 0:\n            dW[:, j] += X[i]\n            dW[:, y[i]] -= X[i]\ndW /= N\nreturn dW"),
    # networks
    "two layers": (NET, "W_1", NET_SHAPES, "Z = X @ W_1 + b_1\nH = np.maximum(Z, 0)\ndO = H @ W_2 - Y\ndH = dO @ W_2.T\ndZ = dH * (Z > 0)\nreturn X.T @ dZ"),
    "two layers, mask in place": (NET, "W_1", NET_SHAPES, "H = np.maximum(0, X.dot(W_1) + b_1)\ndH = (H.dot(W_2) - Y).dot(W_2.T)\ndH[H <= 0] = 0\nreturn X.T.dot(dH)"),
    "two layers, bias": (NET, "b_1", NET_SHAPES, "Z = X @ W_1 + b_1\nrelu = lambda t: t * (t > 0)\nD = (relu(Z) @ W_2 - Y) @ W_2.T\nD = np.where(Z > 0, D, 0)\nreturn np.sum(D, axis=0)"),
    "two layers, several returns": (NET, "W_2", NET_SHAPES, "Z = X @ W_1 + b_1\nH = np.maximum(Z, 0)\ndO = H @ W_2 - Y\ndW2 = H.T @ dO\ndZ = dO @ W_2.T * (H > 0)\ndW1 = X.T @ dZ\ndb1 = dZ.sum(0)\nreturn dW1, db1, dW2"),
    "two layers, a dictionary": (NET, "W_2", NET_SHAPES, "grads = {}\nH = np.maximum(X @ W_1 + b_1, 0)\ndO = H @ W_2 - Y\ngrads['W2'] = H.T @ dO\ngrads['b1'] = (dO @ W_2.T * (H > 0)).sum(axis=0)\nreturn grads"),
    "two layers, an example at a time": (NET, "W_1", NET_SHAPES, "dW = np.zeros_like(W_1)\nfor x, t in zip(X, Y):\n    z = x @ W_1 + b_1\n    h = np.maximum(z, 0)\n    d = (W_2 @ (h @ W_2 - t)) * (z > 0)\n    dW += np.outer(x, d)\nreturn dW"),
    "layers in a list": ("A = tanh(X W_1); B = tanh(A W_2); 1/2 ||B - Y||_F^2", "W_1", "X: N D, W_1: D M, W_2: M K, Y: N K", "weights = [W_1, W_2]\nacts = [X]\nfor W in weights:\n    acts.append(np.tanh(acts[-1] @ W))\ndelta = acts[-1] - Y\ngrads = []\nfor k in reversed(range(len(weights))):\n    delta = delta * (1 - acts[k + 1] ** 2)\n    grads.insert(0, acts[k].T @ delta)\n    delta = delta @ weights[k].T\nreturn grads[0]"),
    "a sigmoid net": ("A = sigmoid(X W_1); 1/2 ||A W_2 - Y||_F^2", "W_1", "X: N D, W_1: D M, W_2: M K, Y: N K", "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\nA = sigmoid(X @ W_1)\nE = A @ W_2 - Y\nreturn X.T @ ((E @ W_2.T) * A * (1 - A))"),
    "a residual block": ("1/2 ||x + W_2 max(0, W_1 x) - y||^2", "x", "x: n, W_1: m n, W_2: n m, y: n", "h = W_1 @ x\na = np.clip(h, 0, None)\nr = x + W_2 @ a - y\ndx = r.copy()\ndx += W_1.T @ ((W_2.T @ r) * (h > 0))\nreturn dx"),
    "leaky": ("sum(u .* leaky_relu(W x))", "x", "u: m, W: m n, x: n", "z = W @ x\nslope = np.ones_like(z)\nslope[z < 0] = 0.01\nreturn W.T @ (u * slope)"),
    "dropout": ("1/2 ||(M .* X) W - Y||_F^2", "W", "M: N D, X: N D, W: D K, Y: N K", "Xd = X * M\nout = Xd.dot(W)\nreturn Xd.T.dot(out - Y)"),
    "embedding": ("sum_i sum_d G_{i d} E_{y_i, d}", "E", "G: N D, E: V D, y: N", "dE = np.zeros_like(E)\nnp.add.at(dE, y, G)\nreturn dE"),
    "embedding in a loop": ("sum_i sum_d G_{i d} E_{y_i, d}", "E", "G: N D, E: V D, y: N", "dE = np.zeros(E.shape)\nfor i in range(len(y)):\n    dE[y[i]] += G[i]\nreturn dE"),
    # normalisation
    "batch norm, the long way": (BATCH, "X", "X: N D, U: N D", "N, D = X.shape\nmu = 1. / N * np.sum(X, axis=0)\nxmu = X - mu\nsq = xmu ** 2\nvar = 1. / N * np.sum(sq, axis=0)\nsqrtvar = np.sqrt(var + 1e-5)\nivar = 1. / sqrtvar\ndivar = np.sum(U * xmu, axis=0)\ndxmu1 = U * ivar\ndsqrtvar = -1. / (sqrtvar ** 2) * divar\ndvar = 0.5 * 1. / np.sqrt(var + 1e-5) * dsqrtvar\ndsq = 1. / N * np.ones((N, D)) * dvar\ndxmu2 = 2 * xmu * dsq\ndx1 = dxmu1 + dxmu2\ndmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)\ndx2 = 1. / N * np.ones((N, D)) * dmu\nreturn dx1 + dx2"),
    "batch norm, closed": (BATCH, "X", "X: N D, U: N D", "N = X.shape[0]\nstd = np.sqrt(np.var(X, axis=0) + 1e-5)\nxhat = (X - np.mean(X, axis=0)) / std\nreturn (N * U - U.sum(0) - xhat * np.sum(U * xhat, axis=0)) / (N * std)"),
    "layer norm": (LAYER, "x", "x: n, u: n", "n = x.size\nmu = x.mean()\ns = np.sqrt(((x - mu) ** 2).mean() + 1e-5)\nh = (x - mu) / s\nreturn (u - u.mean() - h * (u * h).mean()) / s"),
    "unit vector": ("u^T x / ||x||", "x", "u: n, x: n", "n = np.linalg.norm(x)\nreturn (np.eye(len(x)) - np.outer(x, x) / n**2) @ u / n"),
    # attention, convolution, recurrence
    "attention": (ATTENTION, "Q", ATTENTION_SHAPES, "d = Q.shape[-1]\nS = Q @ K.T / np.sqrt(d)\nA = np.exp(S - S.max(-1, keepdims=True))\nA /= A.sum(-1, keepdims=True)\ndA = U @ V.T\ndS = A * (dA - np.sum(A * dA, axis=-1, keepdims=True))\nreturn dS @ K / np.sqrt(d)"),
    "attention a query at a time": (ATTENTION, "V", ATTENTION_SHAPES, "dV = np.zeros_like(V)\nfor i in range(Q.shape[0]):\n    s = K @ Q[i] / np.sqrt(Q.shape[1])\n    a = np.exp(s - s.max())\n    a = a / a.sum()\n    dV += np.outer(a, U[i])\nreturn dV"),
    "convolution in loops": ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "w", "w: 3, u: 4, x: 6", "dw = np.zeros(3)\nfor j in range(3):\n    for k in range(4):\n        dw[j] += u[k] * x[k + j]\nreturn dw"),
    "convolution by windows": ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "w", "w: 3, u: 4, x: 6", "cols = np.stack([x[j:j + 4] for j in range(3)])\nreturn cols @ u"),
    "convolution, input": ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "x", "w: 3, u: 4, x: 6", "dx = np.zeros(6)\nfor k in range(4):\n    dx[k:k + 3] += u[k] * w\nreturn dx"),
    "convolution by np.convolve": ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "x", "w: 3, u: 4, x: 6", "return np.convolve(u, w)"),
    "convolution in two dimensions": ("sum_{i,j} G_{ij} sum_{m=0}^{1} sum_{n=0}^{2} I_{i+m,j+n} K_{m,n}", "K", "G: 3 2, I: 4 4, K: 2 3", "dK = np.zeros((2, 3))\nfor i in range(3):\n    for j in range(2):\n        dK += G[i, j] * I[i:i+2, j:j+3]\nreturn dK"),
    "convolution by im2col": ("sum_{i,j} G_{ij} sum_{m=0}^{1} sum_{n=0}^{2} I_{i+m,j+n} K_{m,n}", "K", "G: 3 2, I: 4 4, K: 2 3", "cols = []\nfor i in range(3):\n    for j in range(2):\n        cols.append(I[i:i+2, j:j+3].reshape(-1))\ncols = np.array(cols)\nreturn (cols.T @ G.reshape(-1)).reshape(2, 3)"),
    "max pooling": ("sum_i g_i max_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6", "w = x.reshape(3, 2)\nd = np.zeros((3, 2))\nd[np.arange(3), w.argmax(axis=1)] = g\nreturn d.reshape(-1)"),
    "max pooling in a loop": ("sum_i g_i max_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6", "d = np.zeros(6)\nfor i in range(3):\n    k = np.argmax(x[2*i:2*i+2])\n    d[2*i + k] += g[i]\nreturn d"),
    "average pooling": ("sum_i g_i (1/2) sum_{j=0}^{1} x_{2 i + j}", "x", "g: 3, x: 6", "return np.repeat(g, 2) / 2"),
    "backpropagation through time": ("h_1 = tanh(W h_0 + x_1); h_2 = tanh(W h_1 + x_2); u^T h_2", "W", "W: n n, h_0: n, x_1: n, x_2: n, u: n", "hs = [h_0]\nfor x in (x_1, x_2):\n    hs.append(np.tanh(W @ hs[-1] + x))\ndW = np.zeros_like(W)\ndh = u\nfor t in (2, 1):\n    dz = dh * (1 - hs[t] ** 2)\n    dW += np.outer(dz, hs[t - 1])\n    dh = W.T @ dz\nreturn dW"),
    "an lstm gate": ("u^T (o .* tanh(sigmoid(z) .* c + i .* k))", "z", "u: n, o: n, z: n, c: n, i: n, k: n", "sig = lambda t: 1 / (1 + np.exp(-t))\nf = sig(z)\nc1 = f * c + i * k\ndc = u * o * (1 - np.tanh(c1) ** 2)\nreturn dc * c * f * (1 - f)"),
    # factorisation, likelihood, linear algebra
    "factorisation": ("1/2 ||R - U V^T||_F^2", "U", "R: m n, U: m k, V: n k", "E = R - np.dot(U, V.T)\nreturn -np.matmul(E, V)"),
    "factorisation by entries": ("1/2 ||R - U V^T||_F^2", "U", "R: m n, U: m k, V: n k", "dU = np.zeros_like(U)\nfor i in range(R.shape[0]):\n    for j in range(R.shape[1]):\n        e = R[i, j] - U[i] @ V[j]\n        dU[i] -= e * V[j]\nreturn dU"),
    "covariance": ("1/2 log(det(S)) + 1/2 a^T S^{-1} a", "S", "S: n n, a: n", "Si = np.linalg.inv(S)\nv = np.linalg.solve(S.T, a)\nz = Si @ a\nreturn 0.5 * Si.T - 0.5 * np.outer(v, z)"),
    "determinant": ("log(det(X^T X))", "X", "X: m n", "return 2 * np.linalg.pinv(X).T"),
    "trace": ("tr(X^T A X)", "X", "A: n n, X: n k", "return A @ X + A.T @ X"),
    "variance of a Gaussian": ("sum((x - mu).^2 / (2 s^2) + log(s))", "s", "x: n, mu:, s:", "return np.sum(-(x - mu) ** 2 / s ** 3 + 1 / s)"),
    "a running total": ("sum_i g_i sum_{j=1}^{i} x_j", "x", "g: n, x: n", "return np.cumsum(g[::-1])[::-1]"),
    "triplet": ("max(0, ||a - p||^2 - ||a - q||^2 + 1)", "a", "a: d, p: d, q: d", "loss = np.sum((a - p) ** 2) - np.sum((a - q) ** 2) + 1\nif loss <= 0:\n    return np.zeros_like(a)\nreturn 2 * (q - p)"),
    "contrastive pairs": ("S = A B^T / t; 1/N sum_i (log(sum_j exp(S_{ij})) - S_{ii})", "A", "A: N d, B: N d, t:", "N = A.shape[0]\nS = A @ B.T / t\nP = np.exp(S - S.max(1, keepdims=True))\nP /= P.sum(1, keepdims=True)\nP[np.diag_indices(N)] -= 1\nreturn P @ B / (N * t)"),
}  # fmt: skip

#: name: (formula, shapes, body of a program that gives the value)
LOSSES: dict[str, tuple[str, str, str]] = {
    "mean squared error": (MSE.replace("y", "t"), "X: N D, w: D, t: N", "return np.mean((X @ w - t) ** 2)"),
    "mean squared error in a loop": (MSE.replace("y", "t"), "X: N D, w: D, t: N", "loss = 0.0\nfor i in range(len(X)):\n    loss += (X[i] @ w - t[i]) ** 2\nreturn loss / len(X)"),
    "ridge": ("1/2 ||X w - t||^2 + lam ||w||^2", "X: N D, w: D, t: N, lam:", "r = X @ w - t\nreturn 0.5 * r @ r + lam * np.sum(np.square(w))"),
    "lasso": ("||X w - t||^2 + lam ||w||_1", "X: N D, w: D, t: N, lam:", "return np.linalg.norm(X @ w - t) ** 2 + lam * np.abs(w).sum()"),
    "logistic": ("1/N sum(log(1 + exp(-t .* (X w))))", "X: N D, w: D, t: N", "return np.log1p(np.exp(-t * X.dot(w))).mean()"),
    "logistic by logaddexp": ("1/N sum(log(1 + exp(-t .* (X w))))", "X: N D, w: D, t: N", "return np.mean(np.logaddexp(0, -t * (X @ w)))"),
    "logistic in a loop": ("sum(log(1 + exp(-t .* (X w))))", "X: N D, w: D, t: N", "return sum(np.log(1 + np.exp(-b * (a @ w))) for a, b in zip(X, t))"),
    "cross-entropy": ("p = sigmoid(X w); -sum(t .* log(p) + (1 - t) .* log(1 - p))", "X: N D, w: D, t: N", "p = 1 / (1 + np.exp(-X @ w))\nreturn -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))"),
    "softmax": (SOFTMAX, "X: N D, W: D C, y: N", "S = X @ W\nreturn np.mean(np.log(np.exp(S).sum(1)) - S[np.arange(len(y)), y])"),
    "softmax in a loop": (SOFTMAX, "X: N D, W: D C, y: N", "L = 0\nfor i in range(len(X)):\n    s = X[i] @ W\n    L -= np.log(np.exp(s)[y[i]] / np.exp(s).sum())\nreturn L / len(X)"),
    "softmax by one-hot": (SOFTMAX, "X: N D, W: D C, y: N", "S = X @ W\nlogp = S - np.log(np.sum(np.exp(S), axis=1, keepdims=True))\nreturn -np.sum(np.eye(W.shape[1])[y] * logp) / len(X)"),
    "multiclass hinge": (SVM, "X: N D, W: D C, y: N", "S = X @ W\nM = np.maximum(0, S - S[np.arange(len(y)), y][:, None] + 1)\nM[np.arange(len(y)), y] = 0\nreturn M.sum() / len(X)"),
    "hinge": ("1/N sum(max(0, 1 - t .* (X w)))", "X: N D, w: D, t: N", "return np.maximum(0, 1 - t * (X @ w)).mean()"),
    "two layers": ("1/2 ||max(0, X W_1) W_2 - Y||_F^2", "X: N D, W_1: D M, W_2: M K, Y: N K", "h = np.maximum(X @ W_1, 0)\nreturn ((h @ W_2 - Y) ** 2).sum() / 2"),
    "factorisation": ("1/2 ||R - U V^T||_F^2", "R: m n, U: m k, V: n k", "total = 0\nfor i in range(len(U)):\n    for j in range(len(V)):\n        total += 0.5 * (R[i, j] - U[i] @ V[j]) ** 2\nreturn total"),
    "attention": ("sum(U .* (softmax(Q K^T / sqrt(d)) V))", "Q: n d, K: m d, V: m e, U: n e", "S = Q @ K.T / np.sqrt(Q.shape[1])\nA = np.exp(S - S.max(axis=1, keepdims=True))\nreturn np.sum(U * (A / A.sum(1, keepdims=True) @ V))"),
    "layer norm": ("m = mean(x); u^T ((x - m) / sqrt(mean((x-m)^2) + 0.00001))", "x: n, u: n", "return u @ ((x - x.mean()) / np.sqrt(x.var() + 1e-5))"),
    "Gaussian": ("sum((x - mu).^2 / (2 s^2) + log(s))", "x: n, mu:, s:", "return sum((v - mu) ** 2 / (2 * s**2) for v in x) + len(x) * np.log(s)"),
    "divergence": ("-1/2 sum(1 + v - mu.^2 - exp(v))", "v: n, mu: n", "return -0.5 * np.sum(1 + v - mu**2 - np.exp(v))"),
    "recurrent": ("h_1 = tanh(W h_0 + x_1); u^T tanh(W h_1 + x_2)", "W: n n, h_0: n, x_1: n, x_2: n, u: n", "h = h_0\nfor x in [x_1, x_2]:\n    h = np.tanh(W @ h + x)\nreturn u @ h"),
    "pairs": ("sum_i sum_j ((X_{i,:} - X_{j,:}) a)^2", "a: d, X: n d", "L = 0\nfor r in X:\n    for s in X:\n        L += (a @ (r - s)) ** 2\nreturn L"),
    "contrast": ("S = A B^T / t; 1/N sum_i (log(sum_j exp(S_{ij})) - S_{ii})", "A: N d, B: N d, t:", "S = A @ B.T / t\nreturn np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S))"),
    "convolution": ("sum_{k=1}^{4} u_k sum_{j=1}^{3} w_j x_{k+j-1}", "w: 3, u: 4, x: 6", "return sum(u[k] * (x[k:k + 3] @ w) for k in range(4))"),
}  # fmt: skip
