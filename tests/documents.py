r"""Documents as students and authors write them: each is right, and each is given with slips that break one line.

A row holds the page and its slips, `(what stands there, what a careless writer puts instead)`. What stands there is found once
in the page, so the line to be blamed is the line it stands on. `shapes` are what the page itself leaves open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    name: str
    text: str
    slips: tuple[tuple[str, str], ...]
    shapes: str = ""
    assume: str = ""
    gap: str = ""  # why it is not judged, if it is not

    def broken(self) -> Iterator[tuple[str, int]]:
        """Every broken page with the number of its broken line."""
        for right, wrong in self.slips:
            if self.text.count(right) != 1 or right == wrong:
                raise ValueError(f"{self.name}: {right!r} must stand in the page once")
            before, after = self.text.split(right)
            shared = next((i for i, (a, b) in enumerate(zip(right, wrong, strict=False)) if a != b), 0)
            yield before + wrong + after, (before + right[:shared]).count("\n") + 1


DOCUMENTS = [
    # backpropagation, with its layers
    Document(
        "nielsen-four-equations",
        r"""
We use the quadratic cost $C = \frac{1}{2} \sum_j (y_j - a^L_j)^2$ for the network
\[ z^2 = w^2 x + b^2, \quad a^2 = \sigma(z^2), \quad z^3 = w^3 a^2 + b^3, \quad a^3 = \sigma(z^3) \]
with $a^L = a^3$. Define $\delta^l = \frac{\partial C}{\partial z^l}$. Then
\begin{align}
  \delta^3 &= (a^3 - y) \odot \sigma'(z^3) \\
  \delta^2 &= ((w^3)^T \delta^3) \odot \sigma'(z^2) \\
  \frac{\partial C}{\partial b^3} &= \delta^3 \\
  \frac{\partial C}{\partial w^3} &= \delta^3 (a^2)^T \\
  \frac{\partial C}{\partial w^2} &= \delta^2 x^T
\end{align}
""",
        (
            (r"(a^3 - y) \odot", r"(y - a^3) \odot"),
            (r"((w^3)^T \delta^3)", r"(w^3 \delta^3)"),
            (r"\delta^2 x^T", r"\delta^2 (a^2)^T"),
        ),
        shapes="x: n, y: k, w^2: m n, w^3: k m, b^2: m, b^3: k",
    ),
    Document(
        "nielsen-general-layer",
        r"""
In a feedforward network with $z^l = w^l a^{l-1} + b^l$ and $a^l = \sigma(z^l)$ let
$\delta^l = \frac{\partial C}{\partial z^l}$ be the error in layer $l$. Then
\begin{align}
  \delta^l &= ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l) \\
  \frac{\partial C}{\partial b^l} &= \delta^l \\
  \frac{\partial C}{\partial w^l} &= \delta^l (a^{l-1})^T
\end{align}
""",
        (
            (r"((w^{l+1})^T \delta^{l+1})", r"((w^{l})^T \delta^{l+1})"),
            (r"\sigma'(z^l) \\", r"\sigma'(z^{l+1}) \\"),
            (r"\delta^l (a^{l-1})^T", r"\delta^l (a^{l})^T"),
        ),
    ),
    Document(
        "nielsen-general-layer-components",
        r"""
With $z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j$, $a^l_j = \sigma(z^l_j)$ and $\delta^l_j = \frac{\partial C}{\partial z^l_j}$ we have
$$ \frac{\partial z^{l+1}_k}{\partial z^l_j} = w^{l+1}_{kj} \sigma'(z^l_j) $$
and therefore
\begin{align*}
  \delta^l_j &= \sum_k \frac{\partial C}{\partial z^{l+1}_k} \frac{\partial z^{l+1}_k}{\partial z^l_j} \\
   &= \sum_k \delta^{l+1}_k w^{l+1}_{kj} \sigma'(z^l_j)
\end{align*}
""",
        (
            (r"= w^{l+1}_{kj} \sigma'(z^l_j)", r"= w^{l+1}_{jk} \sigma'(z^l_j)"),
            (r"\sum_k \delta^{l+1}_k w^{l+1}_{kj} \sigma'(z^l_j)", r"\sum_k \delta^{l+1}_k w^{l+1}_{kj}"),
        ),
    ),
    Document(
        "cs229-backprop",
        r"""
\textbf{Problem 1(b).} The two-layer network computes
\begin{align*}
z^{[1]} &= W^{[1]} x + b^{[1]} \\
a^{[1]} &= \sigma(z^{[1]}) \\
z^{[2]} &= W^{[2]} a^{[1]} + b^{[2]} \\
a^{[2]} &= \sigma(z^{[2]}) \\
J &= -y \log a^{[2]} - (1 - y) \log(1 - a^{[2]})
\end{align*}
Let $\delta^{[2]} = \frac{\partial J}{\partial z^{[2]}}$. Then
\begin{align*}
\delta^{[2]} &= a^{[2]} - y \\
\frac{\partial J}{\partial W^{[2]}} &= \delta^{[2]} a^{[1]T} \\
\delta^{[1]} = \frac{\partial J}{\partial z^{[1]}} &= W^{[2]T} \delta^{[2]} \odot a^{[1]} \odot (1 - a^{[1]}) \\
\frac{\partial J}{\partial W^{[1]}} &= \delta^{[1]} x^T \\
\frac{\partial J}{\partial b^{[1]}} &= \delta^{[1]}
\end{align*}
""",
        (
            (r"&= a^{[2]} - y \\", r"&= y - a^{[2]} \\"),
            (r"\odot (1 - a^{[1]}) \\", r"\odot (1 + a^{[1]}) \\"),
            (r"\delta^{[1]} x^T", r"\delta^{[1]} a^{[1]T}"),
        ),
        shapes="W^{[1]}: m n, W^{[2]}: 1 m, x: n, y: 1",
        gap="columns of length 1 are multiplied as numbers",
    ),
    Document(
        "cs229-general-layer",
        r"""
For $l = 1, \dots, L$ the network computes
$$ z^{[l]} = W^{[l]} a^{[l-1]} + b^{[l]}, \qquad a^{[l]} = g(z^{[l]}) $$
Set $\delta^{[l]} = \nabla_{z^{[l]}} J$. By the chain rule
$$ \delta^{[l]} = (W^{[l+1]T} \delta^{[l+1]}) \odot g'(z^{[l]}) $$
so that
$$ \nabla_{W^{[l]}} J = \delta^{[l]} a^{[l-1]T}, \qquad \nabla_{b^{[l]}} J = \delta^{[l]} $$
""",
        (
            (r"(W^{[l+1]T} \delta^{[l+1]}) \odot g'(z^{[l]})", r"(W^{[l+1]T} \delta^{[l+1]}) \odot g(z^{[l]})"),
            (r"\delta^{[l]} a^{[l-1]T}", r"\delta^{[l]} a^{[l]T}"),
        ),
    ),
    Document(
        "plain-superscript-layers",
        """
z^1 = W^1 x + b^1
h^1 = relu(z^1)
z^2 = W^2 h^1 + b^2
L = 1/2 ||z^2 - y||^2

dL/dz^2 = z^2 - y
dL/dW^2 = (z^2 - y) (h^1)^T
dL/dh^1 = (W^2)^T (z^2 - y)
dL/dz^1 = dL/dh^1 ⊙ 1[z^1 > 0]
dL/dW^1 = dL/dz^1 x^T
dL/db^1 = dL/dz^1
""",
        (
            ("dL/dW^2 = (z^2 - y) (h^1)^T", "dL/dW^2 = (z^2 - y) x^T"),
            ("⊙ 1[z^1 > 0]", "⊙ 1[z^1 < 0]"),
            ("dL/dW^1 = dL/dz^1 x^T", "dL/dW^1 = 2 dL/dz^1 x^T"),
        ),
        shapes="W^1: m n, W^2: k m, x: n, y: k",
    ),
    Document(
        "two-layer-cross-entropy",
        r"""
## Problem 2

Forward pass: $h = \tanh(W_1 x + b_1)$, $s = W_2 h + b_2$, $p = \mathrm{softmax}(s)$ and $L = -\sum_k y_k \log p_k$, where
$y$ is one-hot, hence $\sum_k y_k = 1$.

Backward pass:

$$\frac{\partial L}{\partial s} = p - y$$

$$\frac{\partial L}{\partial W_2} = (p - y) h^\top, \quad \frac{\partial L}{\partial b_2} = p - y$$

$$\frac{\partial L}{\partial h} = W_2^\top (p - y)$$

$$\frac{\partial L}{\partial b_1} = \left(W_2^\top (p - y)\right) \odot (1 - h^2)$$

$$\frac{\partial L}{\partial W_1} = \left[\left(W_2^\top (p - y)\right) \odot (1 - h \odot h)\right] x^\top$$
""",
        (
            (r"\frac{\partial L}{\partial h} = W_2^\top (p - y)", r"\frac{\partial L}{\partial h} = W_1^\top (p - y)"),
            (r"\odot (1 - h^2)$$", r"\odot (1 - h)^2$$"),
            (r"(1 - h \odot h)\right] x", r"(h - h \odot h)\right] x"),
        ),
        shapes="W_1: m n, W_2: k m, x: n, y: k",
    ),
    # softmax
    Document(
        "softmax-jacobian-quotient",
        r"""
Let $p_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$. We use the quotient rule.

Case $i = j$:
\begin{align*}
\frac{\partial p_i}{\partial s_i} &= \frac{e^{s_i} \sum_k e^{s_k} - e^{s_i} e^{s_i}}{\left(\sum_k e^{s_k}\right)^2} \\
 &= \frac{e^{s_i}}{\sum_k e^{s_k}} \cdot \frac{\sum_k e^{s_k} - e^{s_i}}{\sum_k e^{s_k}} \\
 &= p_i (1 - p_i)
\end{align*}
Case $i \neq j$:
\begin{align*}
\frac{\partial p_i}{\partial s_j} &= \frac{0 - e^{s_i} e^{s_j}}{\left(\sum_k e^{s_k}\right)^2} \\
 &= -p_i p_j
\end{align*}
""",
        (
            (r"\sum_k e^{s_k} - e^{s_i} e^{s_i}}", r"\sum_k e^{s_k} + e^{s_i} e^{s_i}}"),
            (r"&= p_i (1 - p_i)", r"&= p_i (p_i - 1)"),
            (r"&= -p_i p_j", r"&= p_i p_j"),
        ),
    ),
    Document(
        "softmax-jacobian-cases",
        r"""
For the softmax $p_i = e^{s_i} / \sum_k e^{s_k}$,
\[
\frac{\partial p_i}{\partial s_j} = \begin{cases} p_i (1 - p_i) & \text{if } i = j \\ -p_i p_j & \text{if } i \neq j \end{cases}
\]
or, written with the Kronecker delta,
\[ \frac{\partial p_i}{\partial s_j} = p_i (\delta_{ij} - p_j). \]
With $L = -\sum_i y_i \log p_i$ we get
\begin{align}
\frac{\partial L}{\partial s_j} &= -\sum_i y_i \frac{1}{p_i} \frac{\partial p_i}{\partial s_j} \tag{1} \\
 &= -\sum_i y_i (\delta_{ij} - p_j) \tag{2} \\
 &= -y_j + p_j \sum_i y_i \tag{3}
\end{align}
""",
        (
            (r"p_i (\delta_{ij} - p_j). \]", r"p_j (\delta_{ij} + p_i). \]"),
            (r"-p_i p_j & \text{if } i \neq j", r"p_i p_j & \text{if } i \neq j"),
            (r"-y_j + p_j \sum_i y_i", r"y_j - p_j \sum_i y_i"),
        ),
    ),
    Document(
        "softmax-label-cases",
        r"""
Let $p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}$ and $L = -\log p_y$ for the correct class $y$.
If $j = y$,
$$ \frac{\partial L}{\partial z_y} = p_y - 1 $$
If $j \neq y$,
$$ \frac{\partial L}{\partial z_j} = p_j $$
Both cases together:
$$ \frac{\partial L}{\partial z_j} = p_j - \mathbb{1}[j = y] $$
""",
        (
            (r"= p_y - 1 $$", r"= 1 - p_y $$"),
            (r"= p_j $$", r"= -p_j $$"),
            (r"p_j - \mathbb{1}[j = y]", r"p_j + \mathbb{1}[j = y]"),
        ),
        assume="y: label",
    ),
    Document(
        "softmax-jacobian-matrix",
        r"""
\documentclass{article}
\newcommand{\R}{\mathbb{R}}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\begin{document}
\section{Softmax}
Let $p = \operatorname{softmax}(z)$ with $z \in \R^K$. Then
\begin{equation}\label{eq:jac}
  \pd{p}{z} = \operatorname{diag}(p) - p p^\top .
\end{equation}
For $L = -y^\top \log p$, equation \eqref{eq:jac} gives
\begin{align}
  \pd{L}{p} &= -y \oslash p \notag \\
  \pd{L}{z} &= \left(\operatorname{diag}(p) - p p^\top\right) \pd{L}{p} \\
            &= -y + p \, (\mathbf{1}^\top y) .
\end{align}
\end{document}
""",
        (
            (r"\operatorname{diag}(p) - p p^\top .", r"\operatorname{diag}(p) + p p^\top ."),
            (r"-y \oslash p", r"y \oslash p"),
            (r"&= -y + p \, (\mathbf{1}^\top y)", r"&= -y + p"),
        ),
    ),
    Document(
        "log-sum-exp-hessian",
        r"""
Let $f(x) = \log \sum_i e^{x_i}$ and $p_i = e^{x_i} / \sum_k e^{x_k}$. Then
\begin{gather}
\frac{\partial f}{\partial x_i} = p_i \\
\frac{\partial^2 f}{\partial x_i \partial x_j} = p_i \delta_{ij} - p_i p_j
\end{gather}
i.e. $\nabla f = p$ and $\nabla^2 f = \mathrm{diag}(p) - p p^T$.
""",
        (
            (r"p_i \delta_{ij} - p_i p_j", r"p_i \delta_{ij} - p_i"),
            (r"\mathrm{diag}(p) - p p^T", r"\mathrm{diag}(p) - p^T p"),
        ),
    ),
    # regression
    Document(
        "normal-equations",
        r"""
Minimise $J(w) = \|X w - y\|^2$. We expand
\begin{align*}
J &= (Xw - y)^T (Xw - y) \\
  &= w^T X^T X w - 2 y^T X w + y^T y \\
\nabla_w J &= 2 X^T X w - 2 X^T y = 0 \\
\Rightarrow\; X^T X w &= X^T y \\
\Rightarrow\; w &= (X^T X)^{-1} X^T y
\end{align*}
""",
        (
            (r"w^T X^T X w - 2 y^T X w + y^T y", r"w^T X^T X w - y^T X w + y^T y"),
            (r"\nabla_w J &= 2 X^T X w - 2 X^T y", r"\nabla_w J &= X^T X w - 2 X^T y"),
            (r"(X^T X)^{-1} X^T y", r"(X X^T)^{-1} X^T y"),
        ),
        shapes="X: N D, w: D, y: N",
    ),
    Document(
        "ridge-solution",
        r"""
Ridge regression: $L(w) = \|y - Xw\|_2^2 + \lambda \|w\|_2^2$.
\begin{align}
\nabla_w L &= -2X^\top (y - Xw) + 2\lambda w
\end{align}
Setting the gradient to zero,
\begin{align}
-2X^\top (y - Xw) + 2\lambda w &= 0 \\
(X^\top X + \lambda I) w &= X^\top y \\
w &= (X^\top X + \lambda I)^{-1} X^\top y
\end{align}
""",
        (
            (r"-2X^\top (y - Xw) + 2\lambda w" + "\n", r"2X^\top (y - Xw) + 2\lambda w" + "\n"),
            (r"(X^\top X + \lambda I) w &= X^\top y", r"(X^\top X - \lambda I) w &= X^\top y"),
        ),
        shapes="X: N D, w: D, y: N, lambda:",
    ),
    Document(
        "linear-regression-sum",
        r"""
The model is $\hat{y}_i = w x_i + b$ and the loss is $L = \frac{1}{n} \sum_{i=1}^n (y_i - \hat{y}_i)^2$.

Using the chain rule,
$$ \frac{\partial L}{\partial w} = -\frac{2}{n} \sum_{i=1}^n x_i (y_i - \hat{y}_i) $$
$$ \frac{\partial L}{\partial b} = -\frac{2}{n} \sum_{i=1}^n (y_i - \hat{y}_i) $$
""",
        (
            (r"-\frac{2}{n} \sum_{i=1}^n x_i", r"\frac{2}{n} \sum_{i=1}^n x_i"),
            (r"-\frac{2}{n} \sum_{i=1}^n (y_i - \hat{y}_i) $$", r"-\frac{1}{n} \sum_{i=1}^n (y_i - \hat{y}_i) $$"),
        ),
        shapes="w:, b:",
    ),
    Document(
        "cs229-logistic",
        r"""
Let $h = \sigma(\theta^T x)$. The log likelihood of one example is $\ell = y \log h + (1 - y) \log(1 - h)$. Then
\begin{align*}
\frac{\partial}{\partial \theta_j} \ell
 &= \left( y \frac{1}{\sigma(\theta^T x)} - (1 - y) \frac{1}{1 - \sigma(\theta^T x)} \right) \frac{\partial}{\partial \theta_j} \sigma(\theta^T x) \\
 &= \left( y \frac{1}{\sigma(\theta^T x)} - (1 - y) \frac{1}{1 - \sigma(\theta^T x)} \right) \sigma(\theta^T x) (1 - \sigma(\theta^T x)) \frac{\partial}{\partial \theta_j} \theta^T x \\
 &= \left( y (1 - \sigma(\theta^T x)) - (1 - y) \sigma(\theta^T x) \right) x_j \\
 &= (y - h) x_j
\end{align*}
""",
        (
            (
                r"y (1 - \sigma(\theta^T x)) - (1 - y) \sigma(\theta^T x)",
                r"y (1 - \sigma(\theta^T x)) + (1 - y) \sigma(\theta^T x)",
            ),
            (r"&= (y - h) x_j", r"&= (h - y) x_j"),
        ),
        shapes="theta: n, x: n, y:",
    ),
    Document(
        "logistic-newton",
        r"""
With $\mu_n = \sigma(w^T x_n)$ the negative log-likelihood is
\[ E(w) = -\sum_{n=1}^N \left( t_n \ln \mu_n + (1 - t_n) \ln(1 - \mu_n) \right). \]
Its gradient and Hessian are
\begin{align}
\nabla E &= \sum_{n=1}^N (\mu_n - t_n) x_n = X^T (\mu - t) \\
H &= \nabla \nabla E = \sum_{n=1}^N \mu_n (1 - \mu_n) x_n x_n^T = X^T R X
\end{align}
where $R = \mathrm{diag}(\mu \odot (1 - \mu))$ and $x_n$ is the $n$-th row of $X$.
""",
        (
            (r"\sum_{n=1}^N (\mu_n - t_n) x_n", r"\sum_{n=1}^N (t_n - \mu_n) x_n"),
            (r"\sum_{n=1}^N \mu_n (1 - \mu_n) x_n x_n^T", r"\sum_{n=1}^N \mu_n x_n x_n^T"),
        ),
        shapes="X: N D, w: D, t: N",
    ),
    Document(
        "logistic-plain",
        """
# Logistic regression, one example

z = w^T x + b
p = sigmoid(z)
L = -(y log(p) + (1 - y) log(1 - p))

dL/dp = -y/p + (1 - y)/(1 - p)
dp/dz = p (1 - p)
dL/dz = dL/dp * dp/dz
      = p - y

so dL/dw = (p - y) x and dL/db = p - y
""",
        (
            ("-y/p + (1 - y)/(1 - p)", "-y/p - (1 - y)/(1 - p)"),
            ("dp/dz = p (1 - p)", "dp/dz = p (1 + p)"),
            ("      = p - y", "      = y - p"),
        ),
        shapes="w: n, x: n, y:, b:",
    ),
    Document(
        "labels-plus-minus",
        r"""
With labels $y \in \{-1, 1\}$ the logistic loss is $\ell(w) = \log(1 + e^{-y w^\top x})$.
\[
\nabla_w \ell = \frac{-y e^{-y w^\top x}}{1 + e^{-y w^\top x}} x = -y \, \sigma(-y w^\top x) \, x
\]
Hence
\[
\nabla_w^2 \ell = y^2 \sigma(y w^\top x) \sigma(-y w^\top x) \, x x^\top
\]
""",
        ((r"-y \, \sigma(-y w^\top x) \, x", r"-y \, \sigma(y w^\top x) \, x"), (r"\, x x^\top", r"\, x^\top x")),
        shapes="w: n, x: n, y:",
    ),
    Document(
        "weighted-least-squares",
        r"""
(a) Let $W$ be diagonal and $J(\theta) = (X\theta - y)^T W (X\theta - y)$. Then

$$
\begin{aligned}
\nabla_\theta J &= X^T (W + W^T)(X\theta - y) \\
&= 2 X^T W (X\theta - y) \\
&= 2 X^T W X \theta - 2 X^T W y .
\end{aligned}
$$

Setting this to zero gives $X^T W X \theta = X^T W y$, hence $\theta = (X^T W X)^{-1} X^T W y$.
""",
        (
            (r"&= 2 X^T W (X\theta - y)", r"&= X^T W (X\theta - y)"),
            (r"2 X^T W X \theta - 2 X^T W y", r"2 X^T W X \theta - 2 X W y"),
            (r"(X^T W X)^{-1} X^T W y", r"(X^T W X)^{-1} X^T y"),
        ),
        shapes="X: N D, W: N N, theta: D, y: N",
        assume="W: diagonal",
    ),
    Document(
        "polynomial-chain-scalar",
        r"""
Let $f(x) = (3x^2 + 1)^4$. Put $u = 3x^2 + 1$, so $f = u^4$. Then
$\frac{df}{du} = 4u^3$ and $\frac{du}{dx} = 6x$, therefore
$$\frac{df}{dx} = \frac{df}{du}\frac{du}{dx} = 4u^3 \cdot 6x = 24 x (3x^2+1)^3.$$
""",
        ((r"$\frac{df}{du} = 4u^3$", r"$\frac{df}{du} = 4u^2$"), (r"24 x (3x^2+1)^3", r"12 x (3x^2+1)^3")),
        shapes="x:",
    ),
    Document(
        "product-rule-operator",
        r"""
\begin{align*}
\frac{d}{dx}\left(x^2 \sin x\right) &= \frac{d}{dx}(x^2) \sin x + x^2 \frac{d}{dx}(\sin x) \\
 &= 2x \sin x + x^2 \cos x
\end{align*}
""",
        (
            (r"\frac{d}{dx}(x^2) \sin x + x^2", r"\frac{d}{dx}(x^2) \sin x - x^2"),
            (r"2x \sin x + x^2 \cos x", r"2x \sin x - x^2 \cos x"),
        ),
        shapes="x:",
    ),
    Document(
        "sigmoid-derivative",
        r"""
$\sigma(x) = \frac{1}{1 + e^{-x}}$, so
\begin{align*}
\sigma'(x) &= \frac{d}{dx} (1 + e^{-x})^{-1} \\
&= -(1 + e^{-x})^{-2} \cdot (-e^{-x}) \\
&= \frac{e^{-x}}{(1 + e^{-x})^2} \\
&= \frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}} \\
&= \sigma(x) (1 - \sigma(x))
\end{align*}
""",
        (
            (r"-(1 + e^{-x})^{-2} \cdot (-e^{-x})", r"-(1 + e^{-x})^{-2} \cdot e^{-x}"),
            (r"&= \sigma(x) (1 - \sigma(x))", r"&= \sigma(x) (\sigma(x) - 1)"),
        ),
        shapes="x:",
    ),
    Document(
        "tanh-derivative",
        r"""
Since $\tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}}$ the quotient rule gives
\begin{multline*}
\tanh'(x) = \frac{(e^x + e^{-x})(e^x + e^{-x}) - (e^x - e^{-x})(e^x - e^{-x})}{(e^x + e^{-x})^2} \\
 = 1 - \frac{(e^x - e^{-x})^2}{(e^x + e^{-x})^2} \\
 = 1 - \tanh^2 x
\end{multline*}
""",
        ((r"= 1 - \frac{(e^x - e^{-x})^2}", r"= 1 + \frac{(e^x - e^{-x})^2}"), (r"1 - \tanh^2 x", r"1 - \tanh x^2")),
        shapes="x:",
    ),
    # margins
    Document(
        "svm-indicator",
        r"""
Consider the multiclass SVM loss $L = \sum_{j \neq y} \max(0, w_j^T x - w_y^T x + \Delta)$, $w_j$ the $j$-th row of $W$.
\begin{align*}
\nabla_{w_y} L &= -\left( \sum_{j \neq y} \mathbb{1}(w_j^T x - w_y^T x + \Delta > 0) \right) x
\intertext{and for the other rows, where $j \neq y$,}
\nabla_{w_j} L &= \mathbb{1}(w_j^T x - w_y^T x + \Delta > 0) x
\end{align*}
""",
        (
            (r"\nabla_{w_y} L &= -\left(", r"\nabla_{w_y} L &= \left("),
            (r"\nabla_{w_j} L &= \mathbb{1}", r"\nabla_{w_j} L &= -\mathbb{1}"),
        ),
        shapes="W: C D, x: D, Delta:",
        assume="y: label",
    ),
    Document(
        "binary-hinge",
        r"""
Hinge loss: $\ell = \max(0, 1 - y w^T x)$.

$$\nabla_w \ell = \begin{cases} -y x & \text{if } y w^T x < 1 \\ 0 & \text{otherwise} \end{cases}$$

With regularisation, $J = \frac{\lambda}{2} \|w\|^2 + \ell$, therefore

$$\nabla_w J = \lambda w - y x \, \mathbb{1}[y w^T x < 1]$$
""",
        (
            (r"-y x & \text{if } y w^T x < 1", r"y x & \text{if } y w^T x < 1"),
            (r"\lambda w - y x \, \mathbb{1}[y w^T x < 1]", r"\lambda w - y x \, \mathbb{1}[y w^T x > 1]"),
        ),
        shapes="w: n, x: n, y:, lambda:",
    ),
    # normalisation
    Document(
        "batch-normalisation-paper",
        r"""
Batch normalisation computes, for $i = 1, \dots, m$,
\begin{align}
\mu_B &= \frac{1}{m} \sum_{i=1}^m x_i \\
\sigma_B^2 &= \frac{1}{m} \sum_{i=1}^m (x_i - \mu_B)^2 \\
\hat{x}_i &= \frac{x_i - \mu_B}{\sqrt{\sigma_B^2 + \epsilon}} \\
y_i &= \gamma \hat{x}_i + \beta
\end{align}
and, with $\ell = \sum_i c_i y_i$ a loss,
\begin{align}
\frac{\partial \ell}{\partial \hat{x}_i} &= \frac{\partial \ell}{\partial y_i} \cdot \gamma \\
\frac{\partial \ell}{\partial \sigma_B^2} &= \sum_{i=1}^m \frac{\partial \ell}{\partial \hat{x}_i} \cdot (x_i - \mu_B) \cdot \frac{-1}{2} (\sigma_B^2 + \epsilon)^{-3/2} \\
\frac{\partial \ell}{\partial \gamma} &= \sum_{i=1}^m \frac{\partial \ell}{\partial y_i} \cdot \hat{x}_i \\
\frac{\partial \ell}{\partial \beta} &= \sum_{i=1}^m \frac{\partial \ell}{\partial y_i}
\end{align}
""",
        (
            (r"\frac{-1}{2} (\sigma_B^2 + \epsilon)^{-3/2}", r"\frac{-1}{2} (\sigma_B^2 + \epsilon)^{-1/2}"),
            (r"\frac{\partial \ell}{\partial y_i} \cdot \hat{x}_i", r"\frac{\partial \ell}{\partial y_i} \cdot x_i"),
        ),
        shapes="x: m, c: m, gamma:, beta:, epsilon:",
    ),
    Document(
        "batch-normalisation-compact",
        r"""
Let $\mu = \frac{1}{N}\sum_i x_i$, $v = \frac{1}{N} \sum_i (x_i - \mu)^2$, $s = \sqrt{v + \epsilon}$, $\hat{x}_i = (x_i - \mu)/s$ and
$L = \sum_i g_i \hat{x}_i$. Then
$$
\frac{\partial L}{\partial x_i} = \frac{1}{N s}\left( N g_i - \sum_j g_j - \hat{x}_i \sum_j g_j \hat{x}_j \right)
$$
""",
        ((r"- \hat{x}_i \sum_j g_j \hat{x}_j", r"+ \hat{x}_i \sum_j g_j \hat{x}_j"),),
        shapes="x: N, g: N, epsilon:",
    ),
    Document(
        "layer-norm-plain",
        """
mu = mean(x)
c = x - mu
v = mean(c .* c)
r = 1 / sqrt(v + eps)
xhat = r c
L = sum(g .* xhat)

dL/dxhat = g
dL/dr = sum(g .* c)
dL/dv = -1/2 r^3 dL/dr
dL/dx = r (g - mean(g) - xhat mean(g .* xhat))
""",
        (("dL/dv = -1/2 r^3 dL/dr", "dL/dv = -1/2 r^2 dL/dr"), ("- xhat mean(g .* xhat))", "- xhat mean(g))")),
        shapes="x: n, g: n, eps:",
    ),
    Document(
        "unit-vector",
        r"""
Let $u = x / \|x\|$, where $x \in \mathbb{R}^n$. Using $\nabla_x \|x\| = x / \|x\|$ we find
\begin{equation}
\begin{split}
\frac{\partial u}{\partial x} &= \frac{1}{\|x\|} I - \frac{x x^T}{\|x\|^3} \\
 &= \frac{1}{\|x\|} \left( I - u u^T \right)
\end{split}
\end{equation}
""",
        (
            (r"\frac{x x^T}{\|x\|^3}", r"\frac{x x^T}{\|x\|^2}"),
            (r"\left( I - u u^T \right)", r"\left( I + u u^T \right)"),
        ),
    ),
    # attention
    Document(
        "attention-backward",
        r"""
Single-head attention: let $S = \frac{1}{\sqrt{d}} Q K^T$, $P = \mathrm{softmax}(S)$ row by row, $O = P V$ and
$L = \sum_{ij} G_{ij} O_{ij}$, so that $\frac{\partial L}{\partial O} = G$. Then
\begin{align*}
\frac{\partial L}{\partial V} &= P^T G \\
\frac{\partial L}{\partial P} &= G V^T \\
\frac{\partial L}{\partial S_{ij}} &= P_{ij} \left( \frac{\partial L}{\partial P_{ij}} - \sum_k P_{ik} \frac{\partial L}{\partial P_{ik}} \right) \\
\frac{\partial L}{\partial Q} &= \frac{1}{\sqrt{d}} \frac{\partial L}{\partial S} K \\
\frac{\partial L}{\partial K} &= \frac{1}{\sqrt{d}} \left(\frac{\partial L}{\partial S}\right)^T Q
\end{align*}
""",
        (
            (r"&= G V^T \\", r"&= G V \\"),
            (r"\sum_k P_{ik} \frac{\partial L}{\partial P_{ik}}", r"\sum_k \frac{\partial L}{\partial P_{ik}}"),
            (r"\left(\frac{\partial L}{\partial S}\right)^T Q", r"\frac{\partial L}{\partial S} Q"),
        ),
        shapes="Q: n d, K: m d, V: m e, G: n e",
    ),
    Document(
        "attention-one-query",
        r"""
For one query $q$ let $a = \mathrm{softmax}(K q)$ and $o = V^T a$, and take the loss $L = g^T o$.
$$\frac{\partial L}{\partial a} = V g$$
$$\frac{\partial L}{\partial e} = (\mathrm{diag}(a) - a a^T) V g, \text{ where } e = K q$$
$$\frac{\partial L}{\partial q} = K^T (\mathrm{diag}(a) - a a^T) V g$$
$$\frac{\partial L}{\partial V} = a g^T$$
""",
        (
            (r"= V g$$", r"= V^T g$$"),
            (r"= K^T (\mathrm{diag}(a) - a a^T) V g", r"= K^T \mathrm{diag}(a) V g"),
            (r"= a g^T$$", r"= g a^T$$"),
        ),
        shapes="K: m d, V: m e, q: d, g: e",
    ),
    # recurrent networks
    Document(
        "rnn-three-steps",
        r"""
An RNN over three steps: $h_t = \tanh(z_t)$, $z_t = W h_{t-1} + U x_t$ for $t = 1, 2, 3$, and $L = \frac{1}{2} \|h_3 - y\|^2$.
\begin{align*}
\delta_3 &= \frac{\partial L}{\partial z_3} = (h_3 - y) \odot (1 - h_3^2) \\
\delta_2 &= \frac{\partial L}{\partial z_2} = (W^T \delta_3) \odot (1 - h_2^2) \\
\delta_1 &= \frac{\partial L}{\partial z_1} = (W^T \delta_2) \odot (1 - h_1^2) \\
\frac{\partial L}{\partial W} &= \delta_3 h_2^T + \delta_2 h_1^T + \delta_1 h_0^T \\
\frac{\partial L}{\partial U} &= \sum_{t=1}^3 \delta_t x_t^T
\end{align*}
""",
        (
            (r"(W^T \delta_3) \odot (1 - h_2^2)", r"(W \delta_3) \odot (1 - h_2^2)"),
            (r"\delta_3 h_2^T + \delta_2 h_1^T + \delta_1 h_0^T", r"\delta_3 h_3^T + \delta_2 h_2^T + \delta_1 h_1^T"),
        ),
    ),
    Document(
        "rnn-two-steps-plain",
        """
h1 = tanh(W h0 + U x1)
h2 = tanh(W h1 + U x2)
L = c^T h2

dL/dh2 = c
dL/dh1 = W^T (c .* (1 - h2.^2))
dL/dW = (c .* (1 - h2.^2)) h1^T + (dL/dh1 .* (1 - h1.^2)) h0^T
""",
        (
            ("dL/dh1 = W^T (c .* (1 - h2.^2))", "dL/dh1 = W (c .* (1 - h2.^2))"),
            ("h1^T + (dL/dh1 .* (1 - h1.^2)) h0^T", "h1^T"),
        ),
        shapes="W: m m, U: m n, h0: m, x1: n, x2: n, c: m",
    ),
    Document(
        "rnn-general-step",
        r"""
Let $h_t = \tanh(W h_{t-1} + U x_t)$ and let $L$ be a loss of the last state. Then
$$ \frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2) W $$
and so
$$ \frac{\partial L}{\partial h_{t-1}} = W^T \left( \frac{\partial L}{\partial h_t} \odot (1 - h_t^2) \right) $$
""",
        (
            (r"\mathrm{diag}(1 - h_t^2) W", r"\mathrm{diag}(1 - h_{t-1}^2) W"),
            (r"W^T \left( \frac{\partial L}{\partial h_t}", r"W \left( \frac{\partial L}{\partial h_t}"),
        ),
    ),
    Document(
        "lstm-step",
        r"""
One LSTM step with the gates $i = \sigma(z_i)$, $f = \sigma(z_f)$, $o = \sigma(z_o)$ and the candidate $g = \tanh(z_g)$:
\begin{align}
c &= f \odot c_{prev} + i \odot g \\
h &= o \odot \tanh(c)
\end{align}
Let the loss be $L = u^T h$. Backward:
\begin{align}
\frac{\partial L}{\partial h} &= u \\
\frac{\partial L}{\partial o} &= u \odot \tanh(c) \\
\frac{\partial L}{\partial c} &= u \odot o \odot (1 - \tanh^2(c)) \\
\frac{\partial L}{\partial f} &= \frac{\partial L}{\partial c} \odot c_{prev} \\
\frac{\partial L}{\partial i} &= \frac{\partial L}{\partial c} \odot g \\
\frac{\partial L}{\partial z_f} &= \frac{\partial L}{\partial f} \odot f \odot (1 - f) \\
\frac{\partial L}{\partial z_g} &= \frac{\partial L}{\partial c} \odot i \odot (1 - g^2)
\end{align}
""",
        (
            (r"u \odot o \odot (1 - \tanh^2(c))", r"u \odot o \odot (1 - c^2)"),
            (r"\frac{\partial L}{\partial c} \odot c_{prev}", r"\frac{\partial L}{\partial c} \odot c"),
            (r"\odot f \odot (1 - f)", r"\odot f"),
        ),
        shapes="z_i: n, z_f: n, z_o: n, z_g: n, c_prev: n, u: n",
    ),
    # probability
    Document(
        "gaussian-log-likelihood",
        r"""
The log-likelihood of $N$ observations is
$$\ell(\mu, \sigma) = -N \log \sigma - \frac{1}{2\sigma^2} \sum_{n=1}^N (x_n - \mu)^2$$
up to a constant. Differentiating,
\begin{align*}
\frac{\partial \ell}{\partial \mu} &= \frac{1}{\sigma^2} \sum_{n=1}^N (x_n - \mu) \\
\frac{\partial \ell}{\partial \sigma} &= -\frac{N}{\sigma} + \frac{1}{\sigma^3} \sum_{n=1}^N (x_n - \mu)^2
\end{align*}
Setting the first one to zero gives $\mu = \frac{1}{N} \sum_{n=1}^N x_n$, and the second $\sigma^2 = \frac{1}{N} \sum_{n=1}^N (x_n - \mu)^2$.
""",
        (
            (r"\frac{1}{\sigma^2} \sum_{n=1}^N (x_n - \mu) \\", r"-\frac{1}{\sigma^2} \sum_{n=1}^N (x_n - \mu) \\"),
            (r"-\frac{N}{\sigma} + \frac{1}{\sigma^3}", r"-\frac{N}{\sigma} + \frac{1}{\sigma^2}"),
        ),
        shapes="x: N, mu:, sigma:",
    ),
    Document(
        "gaussian-covariance",
        r"""
PRML 2.3.4. For $\ell = -\frac{N}{2} \ln |\Sigma| - \frac{1}{2} \sum_{n=1}^N (x_n - \mu)^T \Sigma^{-1} (x_n - \mu)$ we have
\[
\frac{\partial \ell}{\partial \mu} = \sum_{n=1}^N \Sigma^{-1} (x_n - \mu)
\]
With $S = \sum_{n=1}^N (x_n - \mu) (x_n - \mu)^T$,
\[
\frac{\partial \ell}{\partial \Sigma} = -\frac{N}{2} \Sigma^{-1} + \frac{1}{2} \Sigma^{-1} S \Sigma^{-1}
\]
""",
        (
            (r"= \sum_{n=1}^N \Sigma^{-1} (x_n - \mu)", r"= -\sum_{n=1}^N \Sigma^{-1} (x_n - \mu)"),
            (r"+ \frac{1}{2} \Sigma^{-1} S \Sigma^{-1}", r"+ \frac{1}{2} \Sigma^{-1} S"),
        ),
        shapes="X: N D, mu: D, Sigma: D D, x: N D",
        assume="Sigma: symmetric",
    ),
    Document(
        "precision-matrix",
        r"""
Let $\ell(\Lambda) = \frac{N}{2} \log \det \Lambda - \frac{1}{2} \mathrm{tr}(S \Lambda)$ with symmetric $S$. Since
$\frac{\partial}{\partial \Lambda} \log \det \Lambda = \Lambda^{-T}$ and $\frac{\partial}{\partial \Lambda} \mathrm{tr}(S \Lambda) = S^T$,
$$ \frac{\partial \ell}{\partial \Lambda} = \frac{N}{2} \Lambda^{-T} - \frac{1}{2} S^T $$
""",
        (
            (r"\log \det \Lambda = \Lambda^{-T}$", r"\log \det \Lambda = \Lambda$"),
            (r"\frac{N}{2} \Lambda^{-T} - \frac{1}{2} S^T", r"\frac{N}{2} \Lambda^{-T} + \frac{1}{2} S^T"),
        ),
        shapes="Lambda: D D, S: D D, N:",
    ),
    Document(
        "gaussian-kl",
        r"""
The VAE's regulariser is $\mathcal{L} = -\frac{1}{2} \sum_{j=1}^J \left( 1 + \log \sigma_j^2 - \mu_j^2 - \sigma_j^2 \right)$. Then
\begin{align*}
\frac{\partial \mathcal{L}}{\partial \mu_j} &= \mu_j \\
\frac{\partial \mathcal{L}}{\partial \sigma_j} &= -\frac{1}{2} \left( \frac{2}{\sigma_j} - 2 \sigma_j \right) = \sigma_j - \frac{1}{\sigma_j}
\end{align*}
Both vanish for $\mu_j = 0$ and $\sigma_j = 1$.
""",
        (
            (r"\partial \mu_j} &= \mu_j", r"\partial \mu_j} &= -\mu_j"),
            (r"= \sigma_j - \frac{1}{\sigma_j}", r"= \sigma_j + \frac{1}{\sigma_j}"),
        ),
        shapes="mu: J, sigma: J",
        assume="sigma: positive",
    ),
    Document(
        "kl-univariate",
        r"""
\[
D = \log \frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac{1}{2}
\]
\begin{align*}
\partial D / \partial \mu_1 &= \frac{\mu_1 - \mu_2}{\sigma_2^2} \\
\partial D / \partial \mu_2 &= -\frac{\mu_1 - \mu_2}{\sigma_2^2} \\
\partial D / \partial \sigma_1 &= -\frac{1}{\sigma_1} + \frac{\sigma_1}{\sigma_2^2} \\
\partial D / \partial \sigma_2 &= \frac{1}{\sigma_2} - \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{\sigma_2^3}
\end{align*}
""",
        (
            (r"\mu_2 &= -\frac{\mu_1 - \mu_2}{\sigma_2^2}", r"\mu_2 &= \frac{\mu_1 - \mu_2}{\sigma_2^2}"),
            (r"+ \frac{\sigma_1}{\sigma_2^2} \\", r"+ \frac{\sigma_1^2}{\sigma_2^2} \\"),
            (r"{\sigma_2^3}", r"{2 \sigma_2^3}"),
        ),
        assume="sigma_1: positive, sigma_2: positive",
    ),
    Document(
        "em-mixture-means",
        r"""
EM for a mixture of Gaussians with unit variance. With fixed responsibilities $r_{nk}$ the expected complete log-likelihood is
$$Q = \sum_{n=1}^N \sum_{k=1}^K r_{nk} \left( \log \pi_k - \frac{1}{2} (x_n - \mu_k)^2 \right)$$
M step:
$$\frac{\partial Q}{\partial \mu_k} = \sum_{n=1}^N r_{nk} (x_n - \mu_k) = 0$$
$$\iff \mu_k = \frac{\sum_{n=1}^N r_{nk} x_n}{\sum_{n=1}^N r_{nk}}$$
$$\frac{\partial Q}{\partial \pi_k} = \frac{1}{\pi_k} \sum_{n=1}^N r_{nk}$$
""",
        (
            (r"\sum_{n=1}^N r_{nk} (x_n - \mu_k) = 0", r"\sum_{n=1}^N r_{nk} (\mu_k - x_n) = 0"),
            (r"\frac{1}{\pi_k} \sum_{n=1}^N r_{nk}", r"\pi_k \sum_{n=1}^N r_{nk}"),
        ),
        shapes="x: N, mu: K, pi: K, r: N K",
        assume="pi: positive, r: positive",
    ),
    Document(
        "poisson-exponential",
        r"""
For i.i.d. exponential data $\log p(x \mid \lambda) = \sum_{i=1}^n (\log \lambda - \lambda x_i)$, hence
$$\frac{\partial}{\partial \lambda} \log p(x \mid \lambda) = \frac{n}{\lambda} - \sum_{i=1}^n x_i$$
and the maximum is at $\lambda = n / \sum_{i=1}^n x_i$.
""",
        ((r"\frac{n}{\lambda} - \sum_{i=1}^n x_i", r"\frac{1}{\lambda} - \sum_{i=1}^n x_i"),),
        shapes="x: n, lambda:",
        assume="lambda: positive",
    ),
    Document(
        "bernoulli-mle",
        r"""
$\ell(p) = \sum_{i=1}^n \left[ x_i \log p + (1 - x_i) \log(1 - p) \right]$

$\ell'(p) = \frac{1}{p} \sum_{i=1}^n x_i - \frac{1}{1-p} \sum_{i=1}^n (1 - x_i)$

$\ell''(p) = -\frac{1}{p^2} \sum_{i=1}^n x_i - \frac{1}{(1-p)^2} \sum_{i=1}^n (1 - x_i)$
""",
        (
            (r"$\ell'(p) = \frac{1}{p} \sum_{i=1}^n x_i - ", r"$\ell'(p) = \frac{1}{p} \sum_{i=1}^n x_i + "),
            (r"- \frac{1}{(1-p)^2}", r"+ \frac{1}{(1-p)^2}"),
        ),
        shapes="x: n, p:",
    ),
    Document(
        "prml-evidence-regularised",
        r"""
PRML (3.27): $E(w) = \frac{1}{2} \sum_{n=1}^N \{ t_n - w^T \phi_n \}^2 + \frac{\lambda}{2} w^T w$, where $\phi_n$ are the rows of $\Phi$.
\begin{align}
\nabla E(w) &= -\sum_{n=1}^N \{ t_n - w^T \phi_n \} \phi_n + \lambda w \\
 &= -\Phi^T (t - \Phi w) + \lambda w \\
 &= (\lambda I + \Phi^T \Phi) w - \Phi^T t
\end{align}
""",
        (
            (r"&= -\Phi^T (t - \Phi w) + \lambda w", r"&= -\Phi^T (t - \Phi w) + \frac{\lambda}{2} w"),
            (r"(\lambda I + \Phi^T \Phi) w - \Phi^T t", r"(\lambda I - \Phi^T \Phi) w - \Phi^T t"),
        ),
        shapes="Phi: N M, w: M, t: N, lambda:",
    ),
    # matrices
    Document(
        "quadratic-by-index",
        r"""
\textit{Solution.} Write $f(x) = x^\top A x = \sum_{i}\sum_{j} A_{ij} x_i x_j$. By the product rule
\begin{align*}
\frac{\partial f}{\partial x_k} &= \sum_i \sum_j A_{ij} (\delta_{ik} x_j + x_i \delta_{jk}) \\
&= \sum_j A_{kj} x_j + \sum_i A_{ik} x_i \\
&= (A x)_k + (A^\top x)_k
\end{align*}
$\therefore\ \nabla f = (A + A^\top) x$, and $\nabla^2 f = A + A^\top$. $\blacksquare$
""",
        (
            (r"\sum_j A_{kj} x_j + \sum_i A_{ik} x_i", r"\sum_j A_{kj} x_j + \sum_i A_{ki} x_j"),
            (r"(A x)_k + (A^\top x)_k", r"2 (A x)_k"),
            (r"\nabla f = (A + A^\top) x", r"\nabla f = (A - A^\top) x"),
        ),
        shapes="A: n n, x: n",
    ),
    Document(
        "trace-differential",
        r"""
Let $f(X) = \mathrm{tr}(X^T A X B)$. Taking differentials,
\begin{align*}
df &= \mathrm{tr}(dX^T A X B) + \mathrm{tr}(X^T A \, dX B) \\
   &= \mathrm{tr}(B^T X^T A^T dX) + \mathrm{tr}(B X^T A \, dX)
\end{align*}
so that
\[ \frac{\partial f}{\partial X} = A X B + A^T X B^T . \]
""",
        (
            (
                r"\mathrm{tr}(B^T X^T A^T dX) + \mathrm{tr}(B X^T A \, dX)",
                r"\mathrm{tr}(B^T X^T A dX) + \mathrm{tr}(B X^T A \, dX)",
            ),
            (r"A X B + A^T X B^T .", r"A X B + A X B^T ."),
        ),
        shapes="X: n m, A: n n, B: m m",
    ),
    Document(
        "matrix-factorisation",
        r"""
Matrix factorisation: minimise $J = \frac{1}{2} \|X - U V^T\|_F^2 + \frac{\lambda}{2} (\|U\|_F^2 + \|V\|_F^2)$.
With $E = X - U V^T$,
$$\nabla_U J = -E V + \lambda U, \qquad \nabla_V J = -E^T U + \lambda V.$$
Setting $\nabla_U J = 0$ gives $U (V^T V + \lambda I) = X V$.
""",
        (
            (r"\nabla_U J = -E V + \lambda U,", r"\nabla_U J = E V + \lambda U,"),
            (r"U (V^T V + \lambda I) = X V", r"U (V^T V - \lambda I) = X V"),
        ),
        shapes="X: n m, U: n k, V: m k, lambda:",
    ),
    Document(
        "autoencoder-tied",
        r"""
A linear autoencoder with tied weights: $L = \|x - W^T W x\|^2$. Let $r = x - W^T W x$. Then $L = r^T r$ and
$$ \nabla_W L = -2 \left( W x r^T + W r x^T \right) $$
""",
        ((r"W x r^T + W r x^T", r"W x r^T - W r x^T"),),
        shapes="W: k n, x: n",
    ),
    Document(
        "chain-of-jacobians",
        r"""
Let $u = A x$, $v = \sin(u)$ and $f = c^T v$. With Jacobians in numerator layout
\begin{align*}
\frac{\partial u}{\partial x} &= A \\
\frac{\partial v}{\partial u} &= \mathrm{diag}(\cos(u)) \\
\frac{\partial f}{\partial v} &= c^T \\
\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial v} \frac{\partial v}{\partial u} \frac{\partial u}{\partial x} \\
 &= c^T \mathrm{diag}(\cos(u)) A
\end{align*}
""",
        (
            (r"\mathrm{diag}(\cos(u)) \\", r"\mathrm{diag}(\sin(u)) \\"),
            (r"&= c^T \mathrm{diag}(\cos(u)) A", r"&= c^T \mathrm{diag}(\sin(u)) A"),
        ),
        shapes="A: m n, x: n, c: m",
    ),
    Document(
        "batched-affine",
        r"""
Affine layer on a batch: `Y = X W + 1 b^T`. Given $L = \sum_{ij} G_{ij} Y_{ij}$ and $Y_{ij} = \sum_k X_{ik} W_{kj} + b_j$ we get

1. $\frac{\partial L}{\partial W_{kj}} = \sum_i G_{ij} X_{ik}$, i.e. $\frac{\partial L}{\partial W} = X^T G$
2. $\frac{\partial L}{\partial X_{ik}} = \sum_j G_{ij} W_{kj}$, i.e. $\frac{\partial L}{\partial X} = G W^T$
3. $\frac{\partial L}{\partial b_j} = \sum_i G_{ij}$, i.e. $\frac{\partial L}{\partial b} = G^T \mathbf{1}$
""",
        (
            (r"= X^T G$", r"= X G$"),
            (r"= \sum_j G_{ij} W_{kj}$", r"= \sum_j G_{ij} W_{jk}$"),
            (r"= G^T \mathbf{1}$", r"= G \mathbf{1}$"),
        ),
        shapes="X: N D, W: D M, G: N M, b: M",
    ),
    # convolutions
    Document(
        "convolution-by-index",
        r"""
A one-dimensional convolution layer is $y_i = \sum_{k=0}^{K-1} w_k x_{i+k}$ with loss $L = \sum_i g_i y_i$.
\begin{align*}
\frac{\partial y_i}{\partial w_k} &= x_{i+k} \\
\frac{\partial L}{\partial w_k} &= \sum_i \frac{\partial L}{\partial y_i} \frac{\partial y_i}{\partial w_k} \\
 &= \sum_i g_i x_{i+k}
\end{align*}
""",
        ((r"&= x_{i+k} \\", r"&= x_{i-k} \\"), (r"&= \sum_i g_i x_{i+k}", r"&= \sum_i g_i x_{i}")),
    ),
    # statements with words, slips carried forward, unusual layouts
    Document(
        "homework-partial",
        r"""
# Homework 3, Problem 2

**(a)** $f(W) = \|W x - y\|^2$. Let $r = W x - y$. So $f = r^T r$ and $\partial f / \partial r = 2r$.

**(b)** Therefore
$$\frac{\partial f}{\partial W} = 2 r x^T = 2 (W x - y) x^T$$

**(c)** $\nabla_x f = 2 W^T r = 2 W^T W x - 2 W^T y$

**(d)** The Hessian w.r.t. $x$ is $\nabla_x^2 f = 2 W^T W$.
""",
        (
            (r"\partial f / \partial r = 2r$", r"\partial f / \partial r = r$"),
            (r"= 2 W^T W x - 2 W^T y$", r"= 2 W^T W x - 2 W y$"),
            (r"= 2 W^T W$.", r"= 2 W W^T$."),
        ),
        shapes="W: m n, x: n, y: m",
    ),
    Document(
        "where-after-use",
        r"""
The gradient of the loss is
$$ \nabla_W L = \delta x^T, \qquad \nabla_b L = \delta, $$
where $\delta = (a - y) \odot a \odot (1 - a)$, $a = \sigma(z)$, $z = W x + b$ and $L = \frac{1}{2} \|a - y\|^2$.
""",
        ((r"\nabla_W L = \delta x^T", r"\nabla_W L = x \delta^T"),),
        shapes="W: m n, x: n, b: m, y: m",
    ),
    Document(
        "implication-chain",
        r"""
\begin{align*}
& f = \log(1 + u), \quad u = \|x\|^2 \\
\Rightarrow\quad & \frac{df}{du} = \frac{1}{1 + u}, \quad \frac{\partial u}{\partial x} = 2x \\
\Rightarrow\quad & \nabla_x f = \frac{df}{du} \cdot 2x = \frac{2x}{1 + \|x\|^2} \\
\therefore\quad & x^T \nabla_x f = \frac{2 \|x\|^2}{1 + \|x\|^2}
\end{align*}
""",
        (
            (r"\frac{\partial u}{\partial x} = 2x \\", r"\frac{\partial u}{\partial x} = x \\"),
            (r"\frac{2x}{1 + \|x\|^2} \\", r"\frac{2x}{(1 + \|x\|^2)^2} \\"),
        ),
        shapes="x: n",
    ),
    Document(
        "broken-over-lines",
        r"""
\begin{align*}
\frac{\partial}{\partial w} \frac{1}{2} (y - \sigma(w x + b))^2
  &= (y - \sigma(w x + b)) \cdot \frac{\partial}{\partial w} (y - \sigma(w x + b)) \\
  &= -(y - \sigma(w x + b)) \, \sigma'(w x + b) \, x \\
  &= (\sigma(w x + b) - y) \, \sigma(w x + b) \\
  &\qquad \cdot (1 - \sigma(w x + b)) \, x .
\end{align*}
""",
        ((r"-(y - \sigma(w x + b)) \, \sigma'(w x + b) \, x", r"-(y - \sigma(w x + b)) \, \sigma'(w x + b)"),),
        shapes="w:, x:, b:, y:",
    ),
    Document(
        "partials-before-known",
        r"""
Let $L = \ell(v)$... in our case $L = \sum_i v_i^3$, $v = U h$, $h = \tanh(x)$. By the chain rule
\[ \frac{\partial L}{\partial x_j} = \frac{\partial L}{\partial h_j} (1 - h_j^2) \]
\[ \frac{\partial L}{\partial h_j} = \sum_i \frac{\partial L}{\partial v_i} U_{ij} \]
\[ \frac{\partial L}{\partial v_i} = 3 v_i^2 \]
\[ \frac{\partial L}{\partial x_j} = 3 (1 - h_j^2) \sum_i v_i^2 U_{ij} \]
""",
        (
            (r"\sum_i \frac{\partial L}{\partial v_i} U_{ij} \]", r"\sum_i \frac{\partial L}{\partial v_i} U_{ji} \]"),
            (r"= 3 v_i^2 \]", r"= 2 v_i^2 \]"),
        ),
        shapes="U: m n, x: n",
    ),
    Document(
        "gelu-swish",
        r"""
Swish is $f(x) = x \sigma(\beta x)$.
\begin{align}
f'(x) &= \sigma(\beta x) + \beta x \, \sigma(\beta x) (1 - \sigma(\beta x)) \\
      &= \sigma(\beta x) + \beta x \, \sigma(\beta x) - \beta x \, \sigma(\beta x)^2 \\
      &= \beta f(x) + \sigma(\beta x) (1 - \beta f(x))
\end{align}
""",
        (
            (r"\beta x \, \sigma(\beta x) (1 - \sigma(\beta x)) \\", r"x \, \sigma(\beta x) (1 - \sigma(\beta x)) \\"),
            (r"\sigma(\beta x) (1 - \beta f(x))", r"\sigma(\beta x) (1 - f(x))"),
        ),
        shapes="x:, beta:",
    ),
    Document(
        "bias-variance",
        r"""
Write $m = \frac{1}{n} \sum_{i=1}^n x_i$. Then
\begin{align*}
\sum_{i=1}^n (x_i - t)^2 &= \sum_{i=1}^n (x_i - m + m - t)^2 \\
 &= \sum_{i=1}^n (x_i - m)^2 + 2 (m - t) \sum_{i=1}^n (x_i - m) + n (m - t)^2 \\
 &= \sum_{i=1}^n (x_i - m)^2 + n (m - t)^2
\end{align*}
""",
        (
            (r"+ 2 (m - t) \sum_{i=1}^n (x_i - m) + n (m - t)^2", r"+ 2 (m - t) \sum_{i=1}^n (x_i - m) + (m - t)^2"),
            (
                r"\sum_{i=1}^n (x_i - m)^2 + n (m - t)^2" + "\n\\end",
                r"\sum_{i=1}^n (x_i - m)^2 + n (m - t)" + "\n\\end",
            ),
        ),
        shapes="x: n, t:",
    ),
    Document(
        "word2vec",
        r"""
Negative sampling (CS224n). $J = -\log \sigma(u_o^\top v) - \sum_{k=1}^K \log \sigma(-u_k^\top v)$, with $u_k$ the rows of $U$.
\begin{align*}
\frac{\partial J}{\partial v} &= (\sigma(u_o^\top v) - 1) u_o - \sum_{k=1}^K (\sigma(-u_k^\top v) - 1) u_k \\
\frac{\partial J}{\partial u_o} &= (\sigma(u_o^\top v) - 1) v \\
\frac{\partial J}{\partial u_k} &= (1 - \sigma(-u_k^\top v)) v
\end{align*}
""",
        (
            (r"&= (\sigma(u_o^\top v) - 1) v", r"&= (1 - \sigma(u_o^\top v)) v"),
            (r"(1 - \sigma(-u_k^\top v)) v", r"(1 - \sigma(-u_k^\top v)) u_k"),
        ),
        shapes="U: K d, u_o: d, v: d",
    ),
    Document(
        "policy-softmax",
        r"""
REINFORCE with a softmax policy: $\pi_a = \frac{e^{\theta_a}}{\sum_b e^{\theta_b}}$ and $J = \sum_a \pi_a r_a$.
$$ \frac{\partial \log \pi_a}{\partial \theta_b} = \mathbb{1}[a = b] - \pi_b $$
$$ \frac{\partial J}{\partial \theta_b} = \sum_a r_a \pi_a \frac{\partial \log \pi_a}{\partial \theta_b} = \pi_b (r_b - J) $$
""",
        (
            (r"= \mathbb{1}[a = b] - \pi_b $$", r"= \mathbb{1}[a = b] - \pi_a $$"),
            (r"\pi_b (r_b - J) $$", r"\pi_b (r_b + J) $$"),
        ),
        shapes="theta: A, r: A",
    ),
    Document(
        "directional-and-taylor",
        r"""
For $f(x) = \frac12 x^T Q x - b^T x$ with symmetric $Q$ put $g = Q x - b$ and $\phi(\alpha) = f(x - \alpha g)$. Then
\begin{align*}
\nabla f &= Q x - b = g \\
\phi'(\alpha) &= -g^T (Q (x - \alpha g) - b) \\
 &= -g^T g + \alpha g^T Q g
\end{align*}
Setting $\phi'(\alpha) = 0$ yields $\alpha = \frac{g^T g}{g^T Q g}$.
""",
        (
            (r"&= -g^T (Q (x - \alpha g) - b)", r"&= g^T (Q (x - \alpha g) - b)"),
            (r"-g^T g + \alpha g^T Q g", r"-g^T g - \alpha g^T Q g"),
            (r"\frac{g^T g}{g^T Q g}", r"\frac{g^T Q g}{g^T g}"),
        ),
        shapes="Q: n n, x: n, b: n, alpha:",
        assume="Q: symmetric+positive_definite",
    ),
    Document(
        "residual-block",
        r"""
$h = x + W_2 \,\mathrm{ReLU}(W_1 x)$, and $L = \frac12 \|h\|^2$. Let $z = W_1 x$, $a = \mathrm{ReLU}(z)$.
\begin{align*}
\frac{\partial L}{\partial W_2} &= h a^T \\
\frac{\partial L}{\partial z} &= (W_2^T h) \odot \mathbb{1}[z > 0] \\
\frac{\partial L}{\partial x} &= h + W_1^T \frac{\partial L}{\partial z}
\end{align*}
""",
        (
            (r"&= h a^T", r"&= a h^T"),
            (r"&= h + W_1^T \frac{\partial L}{\partial z}", r"&= W_1^T \frac{\partial L}{\partial z}"),
        ),
        shapes="W_1: m n, W_2: n m, x: n",
    ),
    Document(
        "triplet-distance",
        """
d1 = ||a - p||^2
d2 = ||a - n||^2
L = max(0, d1 - d2 + m)

Suppose the loss is positive. In general:
dL/da = 2 (n - p) 1[d1 - d2 + m > 0]
dL/dp = -2 (a - p) 1[d1 - d2 + m > 0]
dL/dn = 2 (a - n) 1[d1 - d2 + m > 0]
""",
        (("dL/da = 2 (n - p)", "dL/da = 2 (p - n)"), ("dL/dn = 2 (a - n)", "dL/dn = -2 (a - n)")),
        shapes="a: D, p: D, n: D, m:",
    ),
    Document(
        "lagrange-simplex",
        r"""
Maximise $\sum_k N_k \log \pi_k$ subject to $\sum_k \pi_k = 1$. The Lagrangian is
$$ \mathcal{L} = \sum_k N_k \log \pi_k + \lambda \left( 1 - \sum_k \pi_k \right) $$
$$ \frac{\partial \mathcal{L}}{\partial \pi_k} = \frac{N_k}{\pi_k} - \lambda = 0 \Rightarrow \pi_k = \frac{N_k}{\lambda} $$
$$ \frac{\partial \mathcal{L}}{\partial \lambda} = 1 - \sum_k \pi_k $$
""",
        (
            (r"\frac{N_k}{\pi_k} - \lambda = 0", r"\frac{N_k}{\pi_k} + \lambda = 0"),
            (r"= 1 - \sum_k \pi_k $$", r"= \sum_k \pi_k - 1 $$"),
        ),
        shapes="N: K, pi: K, lambda:",
        assume="pi: positive, lambda: positive",
    ),
    Document(
        "numbers-and-check",
        r"""
For $f(x, y, z) = (x + y) z$ let $q = x + y$. Then $\frac{\partial f}{\partial q} = z$, $\frac{\partial f}{\partial z} = q$,
$\frac{\partial f}{\partial x} = \frac{\partial f}{\partial q} \frac{\partial q}{\partial x} = z$ and $\frac{\partial f}{\partial y} = z$.
""",
        (
            (r"\frac{\partial f}{\partial z} = q$", r"\frac{\partial f}{\partial z} = z$"),
            (r"\frac{\partial q}{\partial x} = z$", r"\frac{\partial q}{\partial x} = q$"),
        ),
        shapes="x:, y:, z:",
    ),
]


#: Short pages, each with its verdict: what the words between equations, layers and conditions may and may not excuse.
VERDICTS = {
    "identity wrong": (
        r"$(x-2)^2 = x^2 + 4x + 4$",
        "x:", "wrong",
    ),
    "softmax sums to 2": (
        r"$p = \mathrm{softmax}(s)$. $$\sum_k p_k = 2$$",
        "", "wrong",
    ),
    "unit": (
        r"With $\|w\| = 1$ and $f = w^T w x$ we have $f = x$.",
        "w: n, x:", "correct",
    ),
    "unit wrong": (
        r"With $\|w\| = 1$ and $f = w^T w x$ we have $f = 2 x$.",
        "w: n, x:", "wrong",
    ),
    "powers2": (
        r"$r^2 = x^2 + y^2$ and $s^2 = x^2 - y^2$. $f = r^2 + s^2$ so $f = 2x^2$",
        "x:, y:", "correct",
    ),
    "min wrong": (
        r"$f = \frac12 x^2$ and $\frac{df}{dx} = x$. To minimise it, note $f = x^3$.",
        "x:", "wrong",
    ),
    "momentum": (
        r"$v_t = \beta v_{t-1} + g_t$. Then $\frac{\partial v_t}{\partial v_{t-1}} = \beta$",
        "", "correct",
    ),
    "rnn loss": (
        r"$h_t = \tanh(W h_{t-1} + U x_t)$, $o_t = V h_t$, $L_t = \frac12 \|o_t - y_t\|^2$ and $L = \sum_{t=1}^T L_t$. $$\frac{\partial L}{\partial V} = \sum_{t=1}^T (o_t - y_t) h_t^T$$",
        "", "correct",
    ),
    "rnn loss wrong": (
        r"$h_t = \tanh(W h_{t-1} + U x_t)$, $o_t = V h_t$, $L_t = \frac12 \|o_t - y_t\|^2$ and $L = \sum_{t=1}^T L_t$. $$\frac{\partial L}{\partial V} = \sum_{t=1}^T h_t (o_t - y_t)^T$$",
        "", "wrong",
    ),
    "BP1": (
        r"$z^l = w^l a^{l-1} + b^l$, $a^l = \sigma(z^l)$, $\delta^l = \frac{\partial C}{\partial z^l}$. $$\delta^L = \nabla_{a^L} C \odot \sigma'(z^L)$$",
        "", "correct",
    ),
    "BP1 wrong": (
        r"$z^l = w^l a^{l-1} + b^l$, $a^l = \sigma(z^l)$, $\delta^l = \frac{\partial C}{\partial z^l}$. $$\delta^L = \nabla_{a^L} C \odot \sigma'(a^L)$$",
        "", "wrong",
    ),
    "case wrong": (
        r"$p_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$. If $i \neq j$ then $$\frac{\partial p_i}{\partial s_j} = -p_i$$",
        "", "wrong",
    ),
    "case swapped": (
        r"$p_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$. If $i = j$ then $$\frac{\partial p_i}{\partial s_j} = -p_i p_j$$",
        "", "wrong",
    ),
    "case trailing": (
        r"$p_i = \frac{e^{s_i}}{\sum_k e^{s_k}}$. We have $\frac{\partial p_i}{\partial s_j} = -p_i p_j$ for $i \neq j$ and $\frac{\partial p_i}{\partial s_i} = p_i(1-p_i)$.",
        "", "correct",
    ),
    "numerator": (
        r"In numerator layout: $f = c^T x$ and $\frac{\partial f}{\partial x} = c$",
        "c: n, x: n", "wrong",
    ),
    "regularised": (
        r"$z^l = w^l a^{l-1} + b^l$, $a^l = \sigma(z^l)$. $$\frac{\partial C}{\partial w^l} = \frac{\partial C}{\partial z^l} (a^{l-1})^T + \lambda w^l$$",
        "", "undecided",
    ),
    "solution": (
        r"$\ell = -\sum_i (x_i - m)^2$, so $\frac{\partial \ell}{\partial m} = 2\sum_{i=1}^n (x_i - m)$. Setting this to zero, $m = \frac{2}{n} \sum_{i=1}^n x_i$.",
        "x: n, m:", "wrong",
    ),
    "theta transposed": (
        r"\begin{align} z^{(l+1)} &= \Theta^{(l)} a^{(l)} \\ a^{(l)} &= g(z^{(l)}) \\ \delta^{(l)} &= \frac{\partial J}{\partial z^{(l)}} \\ \delta^{(l)} &= (\Theta^{(l)})^T \delta^{(l+1)} \odot g'(z^{(l)}) \end{align}",
        "", "correct",
    ),
    "cnn": (
        r"""Let $z_{i} = \sum_{k=1}^{K} w_k x_{i+k-1} + b$, $a_i = \max(0, z_i)$ and $L = \frac12 \sum_i (a_i - t_i)^2$. Then
\begin{align*}
\frac{\partial L}{\partial a_i} &= a_i - t_i \\
\frac{\partial L}{\partial z_i} &= (a_i - t_i) \mathbb{1}[z_i > 0] \\
\frac{\partial L}{\partial b} &= \sum_i (a_i - t_i) \mathbb{1}[z_i > 0] \\
\frac{\partial L}{\partial w_k} &= \sum_i \frac{\partial L}{\partial z_i} x_{i+k-1}
\end{align*}""",
        "", "correct",
    ),
    "rmsnorm": (
        r"""RMSNorm: $r = \sqrt{\frac1n \sum_i x_i^2 + \epsilon}$, $y_i = g_i \frac{x_i}{r}$ and $L = \sum_i u_i y_i$.
\[ \frac{\partial L}{\partial g_i} = u_i \frac{x_i}{r} \]
\[ \frac{\partial r}{\partial x_j} = \frac{x_j}{n r} \]
\[ \frac{\partial L}{\partial x_j} = \frac{u_j g_j}{r} - \frac{x_j}{n r^3} \sum_i u_i g_i x_i \]""",
        "x: n, g: n, u: n, epsilon:", "correct",
    ),
    "policy": (
        r"""Given the logits $z$ and $\pi = \mathrm{softmax}(z)$, the entropy is $H = -\sum_a \pi_a \log \pi_a$. Hence
$$\frac{\partial H}{\partial z_b} = -\pi_b (\log \pi_b + H)$$""",
        "", "correct",
    ),
    "two losses": (
        r"""1. For $f(x) = \frac12 \|Ax - b\|^2$ we have $\nabla f(x) = A^T(Ax - b)$ and $\nabla^2 f(x) = A^T A$.
2. For $g(x) = \log(1 + e^{-x})$, $g'(x) = -\frac{1}{1+e^x}$ and $g''(x) = \frac{e^x}{(1+e^x)^2}$.""",
        "A: m n, b: m, x: n", "correct",
    ),
    "fisher": (
        r"""$S_w = \frac12 (x - \mu)^T \Lambda (x - \mu)$ with symmetric $\Lambda$. $\nabla_x S_w = \Lambda (x - \mu)$ and $\nabla_\mu S_w = -\Lambda (x-\mu)$.""",
        "x: n, mu: n, Lambda: n n", "undecided",
    ),
    "a gradient step": (
        r"""Gradient descent: $w \leftarrow w - \eta \nabla L$ where $L = (w^T x - y)^2$ and $\nabla_w L = 2 (w^T x - y) x$.""",
        "w: n, x: n, y:, eta:", "correct",
    ),
    "adam": (
        r"""$m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t$ and $v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2$.
$$\frac{\partial m_t}{\partial m_{t-1}} = \beta_1$$ $$\frac{\partial v_t}{\partial g_t} = 2 (1-\beta_2) g_t$$""",
        "", "correct",
    ),
    "vae": (
        r"""$z = \mu + \sigma \odot \epsilon$, $L = \frac12 \|x - D z\|^2$. By the chain rule
\begin{align}
\frac{\partial L}{\partial z} &= -D^T (x - Dz) \\
\frac{\partial L}{\partial \mu} &= \frac{\partial L}{\partial z} \\
\frac{\partial L}{\partial \sigma} &= \frac{\partial L}{\partial z} \odot \epsilon
\end{align}""",
        "mu: k, sigma: k, epsilon: k, D: n k, x: n", "correct",
    ),
    "vae wrong": (
        r"""$z = \mu + \sigma \odot \epsilon$, $L = \frac12 \|x - D z\|^2$. By the chain rule
\begin{align}
\frac{\partial L}{\partial z} &= D^T (x - Dz) \\
\frac{\partial L}{\partial \mu} &= \frac{\partial L}{\partial z} = D^T (x - Dz)\\
\frac{\partial L}{\partial \sigma} &= D^T (x - Dz) \odot \epsilon
\end{align}""",
        "mu: k, sigma: k, epsilon: k, D: n k, x: n", "wrong",
    ),
    "pca": (
        r"""Maximise $w^T S w$ subject to $w^T w = 1$. $\mathcal{L} = w^T S w - \lambda (w^T w - 1)$, $S$ symmetric.
$$\nabla_w \mathcal{L} = 2 S w - 2 \lambda w = 0 \Rightarrow S w = \lambda w$$""",
        "S: n n, w: n, lambda:", "correct",
    ),
    "logdet": (
        r"""$\ell = \frac{n}{2}\log|\Lambda| - \frac12 \sum_i (x_i-\mu)^T\Lambda(x_i - \mu)$. $\frac{\partial \ell}{\partial \mu} = \Lambda \sum_i (x_i - \mu)$. Set it to zero: $\mu = \frac1n \sum_i x_i$.""",
        "Lambda: d d, mu: d, x: n d", "wrong",
    ),
    "powers as layers?": (
        r"""$s^2 = \frac1n \sum_i x_i^2$ and $r^2 = \frac1n \sum_i y_i^2$, $L = s^2 + r^2$. $\frac{\partial L}{\partial x_i} = \frac{2}{n} x_i$.""",
        "x: n, y: n", "correct",
    ),
    "poly regression": (
        'h = w0 + w1 x + w2 x^2\nL = (h - y)^2\ndL/dh = 2 (h - y)\ndL/dw0 = 2 (h - y)\ndL/dw1 = 2 (h - y) x\ndL/dw2 = 2 (h - y) x^2\n',
        "x:, y:, w0:, w1:, w2:", "correct",
    ),
    "cases in words": (
        r"""ReLU: $f(x) = \max(0, x)$. If $x > 0$, then $f'(x) = 1$. If $x < 0$, then $f'(x) = 0$.""",
        "x:", "correct",
    ),
    "d theta": (
        r"""$J(\theta) = \frac{1}{2m}\sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)})^2$ with $h_\theta(x) = \theta^T x$. $\frac{\partial J}{\partial \theta_j} = \frac1m \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}$""",
        "", "correct",
    ),
}  # fmt: skip
