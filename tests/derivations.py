"""Right derivations, as lectures and papers write them; one entry, one test, and the seed of many broken ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """A document in which every line is right."""

    name: str
    text: str
    shapes: str = ""
    assume: str = ""
    source: str = ""


RIGHT = [
    Written(
        "vectorised-norm",
        r"""
Let $q = W x$ with $W \in \mathbb{R}^{m \times n}$ and
\begin{align}
  f(q) &= \|q\|^2 = \sum_{i=1}^m q_i^2 \\
  \frac{\partial f}{\partial q_i} &= 2 q_i \\
  \nabla_q f &= 2 q \\
  \frac{\partial q_k}{\partial W_{i,j}} &= \mathbf{1}_{k=i} x_j \\
  \frac{\partial f}{\partial W_{i,j}} &= \sum_k \frac{\partial f}{\partial q_k} \frac{\partial q_k}{\partial W_{i,j}} \\
    &= \sum_k (2 q_k) (\mathbf{1}_{k=i} x_j) \\
    &= 2 q_i x_j \\
  \nabla_W f &= 2 q x^T \\
  \frac{\partial q_k}{\partial x_i} &= W_{k,i} \\
  \frac{\partial f}{\partial x_i} &= \sum_k \frac{\partial f}{\partial q_k} \frac{\partial q_k}{\partial x_i} \\
    &= \sum_k 2 q_k W_{k,i} \\
  \nabla_x f &= 2 W^T q
\end{align}
""",
        source="the lectures: a vectorised example, f(x, W) = ||W x||^2",
    ),
    Written(
        "logistic-network",
        r"""
\begin{align*}
  z^{(2)} &= \Theta^{(1)} x, & a^{(2)} &= \sigma(z^{(2)}) \\
  z^{(3)} &= \Theta^{(2)} a^{(2)}, & \hat{y} &= \sigma(z^{(3)}) \\
  L &= \sum_i (y_i \log \hat{y}_i + (1 - y_i) \log(1 - \hat{y}_i))
\end{align*}
The last layer first:
\[ \delta^{(3)} = \frac{\partial L}{\partial z^{(3)}} = y - \hat{y} \]
and then, with the chain rule,
\begin{align*}
  \frac{\partial L}{\partial \Theta^{(2)}} &= \frac{\partial L}{\partial z^{(3)}} (a^{(2)})^T \\
    &= \delta^{(3)} (a^{(2)})^T \\
  \frac{\partial L}{\partial a^{(2)}} &= (\Theta^{(2)})^T \delta^{(3)} \\
  \delta^{(2)} &= \frac{\partial L}{\partial z^{(2)}} \\
    &= \frac{\partial L}{\partial a^{(2)}} \odot a^{(2)} \odot (1 - a^{(2)}) \\
    &= ((\Theta^{(2)})^T (y - \hat{y})) \odot a^{(2)} \odot (1 - a^{(2)}) \\
  \frac{\partial L}{\partial \Theta^{(1)}} &= \delta^{(2)} x^T
\end{align*}
""",
        shapes="y: K",
        source="the lectures: the backpropagation recursion of a logistic network",
    ),
    Written(
        "recursion-in-indices",
        r"""
$$ z_k = \sum_i \Theta_{k,i} a_i, \quad a_i = \sigma(u_i), \quad L = \frac12 \sum_k (z_k - t_k)^2 $$
\begin{align}
  \frac{\partial L}{\partial z_k} &= z_k - t_k \\
  \frac{\partial z_k}{\partial u_i} &= \Theta_{k,i} a_i (1 - a_i) \\
  \frac{\partial L}{\partial u_i} &= \sum_k \frac{\partial L}{\partial z_k} \frac{\partial z_k}{\partial u_i} \\
   &= \sum_k (z_k - t_k) \Theta_{k,i} a_i (1 - a_i) \\
   &= a_i (1 - a_i) \sum_k \Theta_{k,i} (z_k - t_k)
\end{align}
""",
        source="the lectures: the recursion of the deltas, entry by entry",
    ),
    Written(
        "hinge",
        r"""
The scores are $s = W x$, and
\begin{align*}
  L &= \sum_{j \neq y} \max(0, s_j - s_y + 1) \\
    &= \sum_{j \neq y} \max(0, W_{j,:} x - W_{y,:} x + 1)
\end{align*}
\begin{align*}
  \frac{\partial L}{\partial s_k} &= \mathbf{1}[k \neq y] \mathbf{1}[s_k - s_y + 1 > 0]
     - \mathbf{1}[k = y] \sum_{j \neq y} \mathbf{1}[s_j - s_y + 1 > 0] \\
  \nabla_W L &= \frac{\partial L}{\partial s} x^T
\end{align*}
""",
        source="the lectures: the SVM loss expanded in W, with the sign put right",
    ),
    Written(
        "softmax-loss",
        r"""
\begin{align}
  s &= W x \\
  p_k &= \frac{e^{s_k}}{\sum_j e^{s_j}} \\
  L &= -\log p_y \\
    &= -s_y + \log \sum_j e^{s_j} \\
  \frac{\partial L}{\partial s_k} &= p_k - \mathbf{1}[k = y] \\
  \nabla_W L &= \frac{\partial L}{\partial s} x^T \\
    &= (p - \mathrm{onehot}(y)) x^T \\
  \nabla_x L &= W^T (p - \mathrm{onehot}(y))
\end{align}
""",
        source="the lectures: the softmax loss",
    ),
    Written(
        "softmax-jacobian",
        r"""
$$ p = \mathrm{softmax}(s) $$
\begin{align}
  \frac{\partial p_i}{\partial s_j} &= p_i (\mathbf{1}[i = j] - p_j) \\
     &= p_i \mathbf{1}[i = j] - p_i p_j
\end{align}
""",
        source="the lectures: the derivative of softmax",
    ),
    Written(
        "ridge",
        """
# least squares with a penalty
r = X w - y
f = 1/2 ||r||^2 + lam/2 ||w||^2
∂f/∂r = r
∂f/∂w = X^T ∂f/∂r + lam w
  = X^T r + lam w
  = X^T (X w - y) + lam w
  = X^T X w - X^T y + lam w
""",
        shapes="X: N D, w: D, y: N, lam:",
        source="ridge regression",
    ),
    Written(
        "quadratic-form",
        """
f = x^T A x + b^T x
  = sum_i sum_j x_i A_{ij} x_j + sum_i b_i x_i
∂f/∂x = A x + A^T x + b
  = (A + A^T) x + b
∂f/∂A = x x^T
""",
        shapes="A: n n, x: n, b: n",
        source="Petersen and Pedersen, The Matrix Cookbook, (81)",
    ),
    Written(
        "two-layer-relu",
        r"""
$$ z = W_1 x, \qquad h = \max(0, z), \qquad f = W_2 h, \qquad L = \frac{1}{2} \|f - t\|^2 $$
\begin{align*}
  g &= \frac{\partial L}{\partial f} = f - t \\
  \frac{\partial L}{\partial W_2} &= g h^T \\
  \frac{\partial L}{\partial h} &= W_2^T g = W_2^T (f - t) \\
  \frac{\partial L}{\partial z} &= \frac{\partial L}{\partial h} \odot \mathbf{1}[z > 0] \\
    &= (W_2^T g) \odot \mathbf{1}[z > 0] \\
  \frac{\partial L}{\partial W_1} &= \frac{\partial L}{\partial z} x^T \\
    &= ((W_2^T g) \odot \mathbf{1}[z > 0]) x^T
\end{align*}
""",
        shapes="W_1: H D, W_2: C H, x: D, t: C",
        source="the lectures: the two-layer network",
    ),
    Written(
        "sigmoid",
        r"""
\begin{align}
  \sigma &= \frac{1}{1 + e^{-x}} \\
  \frac{\partial \sigma}{\partial x} &= \frac{e^{-x}}{(1 + e^{-x})^2} \\
    &= \left( \frac{1 + e^{-x} - 1}{1 + e^{-x}} \right) \left( \frac{1}{1 + e^{-x}} \right) \\
    &= (1 - \sigma) \sigma
\end{align}
""",
        shapes="x:",
        source="the lectures: the derivative of the logistic function",
    ),
    Written(
        "batch-mean-squares",
        """
y = X W
L = 1/2 sum((y - T) .* (y - T))
  = 1/2 ||y - T||_F^2
∂L/∂y = y - T
∂L/∂W = X^T ∂L/∂y
  = X^T (y - T)
  = X^T X W - X^T T
∂L/∂X = (y - T) W^T
""",
        shapes="X: N D, W: D M, T: N M",
        source="a linear layer over a batch",
    ),
    Written(
        "cosine",
        """
a = ||w||
c = w^T x
f = c / a
∂f/∂c = 1/a
∂a/∂w = w / a
∂f/∂a = -c / a^2
∂f/∂w = (∂f/∂c) x + (∂f/∂a) (∂a/∂w)
  = x / a - c w / a^3
""",
        shapes="w: n, x: n",
        source="the quotient rule on a norm",
    ),
    Written(
        "gate-numbers",
        """
max(0, -2.85 - 0.28 + 1) + max(0, 0.86 - 0.28 + 1) = 1.58
exp(-2.85) = 0.058
-log(0.353) = 1.041
1 / (1 + exp(-1)) = 0.73
(1 - 0.73) * 0.73 = 0.1971 ≈ 0.2
""",
        source="the lectures: worked numbers",
    ),
    Written(
        "logistic-regression",
        r"""
Let $h_\theta(x) = \sigma(\theta^\top x)$. With $m$ examples,
$$ J(\theta) = -\frac1m \sum_{i=1}^m \left[ y^{(i)} \log h_\theta(x^{(i)}) + (1 - y^{(i)}) \log(1 - h_\theta(x^{(i)})) \right] $$
\begin{align}
  \frac{\partial J}{\partial \theta_j} &= \frac1m \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)} \\
  \nabla_\theta J(\theta) &= \frac1m \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x^{(i)}
\end{align}
""",
        source="Ng, CS229 lecture notes 1, part II",
    ),
    Written(
        "least-squares",
        r"""
We minimise $J(\theta) = \frac12 \|X \theta - y\|_2^2$.
\begin{align*}
  J(\theta) &= \frac12 (X\theta - y)^T (X\theta - y) \\
    &= \frac12 \left( \theta^T X^T X \theta - \theta^T X^T y - y^T X \theta + y^T y \right) \\
    &= \frac12 \theta^T X^T X \theta - y^T X \theta + \frac12 y^T y \\
  \nabla J(\theta) &= X^T X \theta - X^T y \\
    &= X^T (X \theta - y)
\end{align*}
""",
        shapes="X: N D, theta: D, y: N",
        source="Ng, CS229 lecture notes 1, part I",
    ),
    Written(
        "primes",
        r"""
\[
\begin{aligned}
  f(x) &= \log\left(1 + e^{x}\right) \\
  f'(x) &= \frac{e^x}{1 + e^x} \\
    &= \frac{1}{1 + e^{-x}} = \sigma(x) \\
  f''(x) &= \sigma(x) \left(1 - \sigma(x)\right) \\
  f'(0) &= 0.5
\end{aligned}
\]
""",
        shapes="x:",
        source="the softplus and the logistic function",
    ),
    Written(
        "differentials",
        r"""
\begin{align}
  f &= \log\det X \\
  \mathrm{d}f &= \operatorname{tr}(X^{-1}\, \mathrm{d}X) \\
  \frac{\partial f}{\partial X} &= X^{-T} \\
  \mathrm{d}(X^{-1}) &= -X^{-1}\, \mathrm{d}X\, X^{-1}
\end{align}
""",
        shapes="X: n n",
        source="Magnus and Neudecker, Matrix Differential Calculus, chapters 8 and 9",
    ),
    Written(
        "differential-of-a-norm",
        """
q = W x
f = ||q||^2
df = 2 q^T dq
dq = W dx
df = 2 q^T W dx
∇_x f = 2 W^T q
""",
        shapes="W: m n, x: n",
        source="the chain rule in differentials",
    ),
    Written(
        "k-means",
        r"""
\begin{align}
  J &= \sum_{i=1}^N \sum_{k=1}^K r_{ik} \|x_i - \mu_k\|^2 \\
  \frac{\partial J}{\partial \mu_k} &= -2 \sum_{i=1}^N r_{ik} (x_i - \mu_k)
\end{align}
""",
        shapes="x: N D, mu: K D, r: N K",
        source="Bishop, Pattern Recognition and Machine Learning, (9.1) and (9.3)",
    ),
    Written(
        "conditions",
        """
p_i = exp(z_i) / sum_k exp(z_k)
dp_i/dz_j = p_i (1 - p_i)   if i = j
dp_i/dz_j = -p_i p_j   for i != j
""",
        source="the lectures: the derivative of softmax, case by case",
    ),
    Written(
        "hinge-rows",
        r"""
$$L_i = \sum_{j\neq y_i} \max(0, w_j^Tx_i - w_{y_i}^Tx_i + \Delta)$$
$$\nabla_{w_{y_i}} L_i = - \left( \sum_{j\neq y_i} \mathbb{1}(w_j^Tx_i - w_{y_i}^Tx_i + \Delta > 0) \right) x_i$$
$$\nabla_{w_j} L_i = \mathbb{1}(w_j^Tx_i - w_{y_i}^Tx_i + \Delta > 0) x_i, \quad j \neq y_i$$
""",
        source="CS231n, optimisation notes: the gradient of the SVM loss",
    ),
    Written(
        "words-between",
        """
Let z = w*x + b and a = sigmoid(z).
L = (a - y)^2
dL/da = 2*(a - y)
da/dz = a*(1 - a)
dL/dw = dL/da * da/dz * dz/dw = 2*(a - y)*a*(1 - a)*x
w := w - η dL/dw = w - 2 η (a - y) a (1 - a) x
""",
        shapes="w:, x:, b:, y:, η:",
        source="one neuron",
    ),
    Written(
        "numpy",
        """
h = np.maximum(0, X @ W1 + b1)
s = h @ W2 + b2
L = 0.5 * np.sum((s - Y)**2)
dL/ds = s - Y
dL/dW2 = h.T @ (s - Y)
dL/db2 = np.sum(s - Y, axis=0)
dL/dh = (s - Y) @ W2.T
""",
        shapes="X: N D, W1: D H, b1: H, W2: H C, b2: C, Y: N C",
        source="the lectures: a two-layer net in NumPy",
    ),
    Written(
        "convolution",
        r"""
$$ y_i = \sum_{k=1}^{m} w_k x_{i+k-1}, \quad L = \frac12 \sum_i (y_i - t_i)^2 $$
$$ \frac{\partial y_i}{\partial w_k} = x_{i+k-1} $$
$$ \frac{\partial L}{\partial w_k} = \sum_i \frac{\partial L}{\partial y_i} x_{i+k-1} = \sum_i (y_i - t_i) x_{i+k-1} $$
""",
        source="the lectures: a convolution in one dimension",
    ),
    Written(
        "circuit",
        """
q = x + y
f = q z
df/dq = z
df/dx = df/dq dq/dx = z
x = -2
y = 5
z = -4
f = -12
df/dx = -4
df/dz = 3
""",
        shapes="x:, y:, z:",
        source="the lectures: f = (x + y) z at (-2, 5, -4)",
    ),
]
