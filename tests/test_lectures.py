"""The statements of the five lecture decks, as printed: the right ones pass, the wrong ones are found at their line.

A row is one formula, number or claim of the decks, by its number in the table of all of them, after the definitions that
the slide relies on.  Rows that state nothing a computation could judge (questions, stubs, plots, rules of thumb) are not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import symgrad as sg


@dataclass(frozen=True)
class Row:
    """One statement: the document, what it needs to be told, and the line that is wrong (0 if none is)."""

    number: int
    topic: str
    document: str
    shapes: str = ""
    assume: str = ""
    wrong: int = 0


SCORES = "s = W x\nL = \\sum_{j\\neq y}\\max(0, s_j - s_y + 1)\n"
LIKELIHOOD = "L = y\\log(\\hat{y})+(1-y)\\log(1-\\hat{y})\n\\hat{y} = \\sigma(z)\n"
CIRCUIT = "q = x + y\nf = q z\n"
SHAPES = "W_1 \\in \\mathbb{R}^{H\\times D}\nW_2 \\in \\mathbb{R}^{C\\times H}\n"
BANDED = (
    r"\begin{bmatrix}\theta_1&\theta_2&0&0&0\\ \theta_0&\theta_1&\theta_2&0&0\\ 0&\theta_0&\theta_1&\theta_2&0\\ "
    r"0&0&\theta_0&\theta_1&\theta_2\\ 0&0&0&\theta_0&\theta_1\end{bmatrix}"
)

# fmt: off
ROWS = (
    # numbers
    Row(4, "hinge loss, worked", r"\max(0,-2.85-0.28+1)+\max(0,0.86-0.28+1)=1.58"),
    Row(5, "exp of the scores", "e^{-2.85} = 0.058\ne^{0.86} = 2.36\ne^{0.28} = 1.32"),
    Row(6, "normalised", r"\frac{e^{-2.85}}{e^{-2.85}+e^{0.86}+e^{0.28}} = 0.016", wrong=1),
    Row(7, "cross entropy, worked", r"-\log(0.353)=0.452", wrong=1),
    Row(16, "HoG feature count", r"30 \cdot 40 \cdot 9 = 10800"),
    Row(31, "saturation of the sigmoid", "\\sigma(0)(1-\\sigma(0)) = 0.25\n\\sigma(10)(1-\\sigma(10)) = 4.54e-5"),
    Row(59, "gradient numbers", "0.2 \\cdot (-1) = -0.2\n0.2 \\cdot 2 = 0.4"),
    Row(61, "sigmoid gate number, as it is written", "\\sigma(1) = \\frac{1}{1+e^{1}}", wrong=1),
    Row(62, "sigmoid gate number", "(1-0.73) \\cdot 0.73 = 0.2"),
    Row(71, "first row of the ReLU Jacobian times dL/dz", r"1 \cdot 4 + 0 \cdot (-1) + 0 \cdot 5 + 0 \cdot 9 = 4"),
    Row(93, "Jacobian size", r"100 \cdot 4096 = 409600"),
    Row(110, "AND gate", "\\sigma(-30) = 0\n\\sigma(-10) = 0\n\\sigma(10) = 1"),
    Row(114, "tridiagonal layer", r"3 \cdot 5 - 2 = 13"),
    Row(119, "parameter counts", "400000 \\cdot 200^2 = 16000000000\n400000 \\cdot 10^2 = 40000000"),
    Row(126, "LeNet", r"16 \cdot 6 \cdot 6 = 576"),
    Row(149, "forward primal trace", "\\ln 2 = 0.693\n2 \\cdot 5 = 10\n\\sin 5 = -0.959\n\\ln 2 + 2 \\cdot 5 - \\sin 5 = 11.652"),
    Row(150, "reverse adjoint trace", "1/2 + 5 = 5.5\n-\\cos 5 = -0.284\n2 - \\cos 5 = 1.716"),
    Row(175, "weight decay", "1^2 + 0^2 + 0^2 + 0^2 = 1\n0.25^2 + 0.25^2 + 0.25^2 + 0.25^2 = 0.25"),
    Row(70, "ReLU Jacobian", "x = [1; -2; 3; -1]\nJ = \\operatorname{diag}(\\begin{cases} 1 & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases})\nJ = \\operatorname{diag}([1; 0; 1; 0])"),
    Row(72, "ReLU backward", r"\operatorname{diag}([1;0;1;0]) [4;-1;5;9] = [4;0;5;0]"),
    Row(73, "ReLU backward, as its overlay is printed", r"\operatorname{diag}([1;0;1;0]) [4;-1;5;9] = [4;-1;5;9]", wrong=1),
    Row(86, "graph example", "f = (x+y) z\nx = -2\ny = 5\nz = -4\nf = -12"),
    Row(95, "numbers of the vectorised example", "W = \\begin{bmatrix}0.1&0.5\\\\-0.3&0.8\\end{bmatrix}\nx = [0.2; 0.4]\nq = W x\nq = [0.22; 0.26]\nf = \\|q\\|^2\nf = 0.116\n\\frac{\\partial f}{\\partial q} = [0.44; 0.52]"),
    Row(108, "one-hot targets", "\\operatorname{onehot}(0, 4) = [1; 0; 0; 0]\n\\operatorname{onehot}(3, 4) = [0; 0; 0; 1]"),
    Row(118, "1-d convolution", "\\operatorname{conv1d}([1; 0; 1], [1; 1; 1; 0; 0]) = [2; 1; 1]"),
    Row(121, "kernel sums", "\\operatorname{sum}(\\begin{bmatrix}0&1&0\\\\1&-4&1\\\\0&1&0\\end{bmatrix}) = 0\n\\operatorname{sum}(\\begin{bmatrix}-1&-1&-1\\\\-1&8&-1\\\\-1&-1&-1\\end{bmatrix}) = 0"),
    Row(145, "autodiff trace", "x_1 = 2\nx_2 = 5\nv_1 = \\ln x_1\nv_2 = x_1 \\times x_2\nv_3 = \\sin x_2\nv_4 = v_1 + v_2\nv_5 = v_4 - v_3\nv_2 = 10\nv_3 = -0.959\nv_4 = 10.693\nv_5 = 11.652"),
    # losses
    Row(8, "bias-variance decomposition of a mean", "E = \\frac{1}{N} \\sum_i (p_i - h)^2\nm = \\frac{1}{N} \\sum_i p_i\nb = m - h\nv = \\frac{1}{N} \\sum_i (p_i - m)^2\nE = b^2 + v\nE = b + v", "p: N, h:", wrong=6),
    Row(14, "update rule", "J = \\frac{1}{2} \\sum_i (t_i - w^T x_i)^2\nd = -\\eta \\frac{\\partial J}{\\partial w}\nd = \\eta \\sum_i (t_i - w^T x_i) x_i", "x: N d, w: d, t: N, eta:"),
    Row(168, "note beside the loss, without its sign", "s = W x\np = \\operatorname{softmax}(s)\nL = -\\log p_y\nL = \\log p_y", "W: C D, x: D", "y: label", wrong=4),
    Row(208, "L2 of the regularised loss", "R = \\sum_k w_k^2\n\\frac{\\partial R}{\\partial w} = 2 w", "w: n"),
    Row(1, "MSE", "J = \\frac{1}{n} \\sum_{i=1}^n (\\hat{y}_i - y_i)^2\n\\frac{\\partial J}{\\partial \\hat{y}} = \\frac{2}{n} (\\hat{y} - y)", "y: n, \\hat{y}: n"),
    Row(11, "SVM loss", SCORES + r"L = \sum_{j\neq y}\max(0,W_{j,:} x-W_{y,:} x+1)", "W: C D, x: D", "y: label"),
    Row(13, "delta rule", "J = \\frac{1}{2} \\sum_i (t_i - w^T x_i)^2\n\\frac{\\partial J}{\\partial w} = -\\sum_i (t_i - w^T x_i) x_i", "x: N d, w: d, t: N"),
    Row(52, "SVM loss expanded in W", SCORES + r"L = \sum_{j\neq y}\max(0,W_{j,:}\cdot x+W_{y,:}\cdot x+1)", "W: C D, x: D", "y: label", wrong=3),
    Row(54, "SVM loss under the gradient", SCORES + r"\nabla_W L = \nabla_W \sum_{j\neq y}\max(0,W_{j,:}\cdot x+W_{y,:}\cdot x+1)", "W: C D, x: D", "y: label", wrong=3),
    Row(107, "binary loss, which is to be minimised", "L = -y\\log(\\hat{y})-(1-y)\\log(1-\\hat{y})\nL = y\\log(\\hat{y})+(1-y)\\log(1-\\hat{y})", wrong=2),
    Row(135, "output delta", LIKELIHOOD + r"\frac{\partial L}{\partial z} = y - \hat{y}"),
    Row(138, "output delta of the algorithm", LIKELIHOOD + r"\frac{\partial L}{\partial z} = \hat{y} - y", wrong=3),
    Row(125, "a step of gradient descent on the likelihood", LIKELIHOOD + "d = -\\frac{\\partial L}{\\partial z}\nd = y - \\hat{y}", wrong=4),
    Row(140, "regularised gradient", "R = \\lambda \\sum_k w_k^2\n\\frac{\\partial R}{\\partial w} = \\lambda w", "w: n", wrong=2),
    Row(172, "L2", "R = \\sum_k\\sum_l W_{k,l}^2\n\\frac{\\partial R}{\\partial W} = 2 W", "W: m n"),
    Row(174, "elastic net", "R = \\sum_k\\sum_l (\\beta W_{k,l}^2+|W_{k,l}|)\n\\frac{\\partial R}{\\partial W} = 2 \\beta W + \\operatorname{sign}(W)", "W: m n"),
    # layers and networks
    Row(21, "network without activation", SHAPES + "f=W_2 W_1 x\nW_3=W_2 W_1\nW_3 \\in \\mathbb{R}^{C\\times H}", wrong=5),
    Row(79, "no activation", "f=W_2 W_1 x\nW_3=W_2 W_1\nf=W_3 x", "W_1: H D, W_2: C H, x: D"),
    Row(212, "network without activation, again", SHAPES + "W_3=W_2 W_1\nW_3 \\in \\mathbb{R}^{C\\times H}", wrong=4),
    Row(78, "what is the 3-layer network?", "f = W_3 \\max(0, W_2 \\max(0, W_1 x))\nf = W_2 \\max(0, W_1 x)", "W_1: h d, W_2: h h, W_3: h h, x: d", wrong=2),
    Row(180, "hand-written composition", "u = W x\nv = \\max(0, u)\nf = W_2 v\nf = W_2 x", "W: d d, W_2: c d, x: d", wrong=4),
    Row(199, "matrix product in index form", "Y = X W\nY_{ij} = \\sum_k W_{kj} X_{ik}", "X: n d, W: d p"),
    Row(131, "weight gradient", "z = T a\nL = \\frac{1}{2}\\|z - t\\|^2\n\\delta = \\frac{\\partial L}{\\partial z}\n\\frac{\\partial L}{\\partial T} = \\delta a^T", "T: m n, a: n, t: m"),
    Row(133, "underbraces of the recursion", "a = \\sigma(z)\nu = \\Theta a\nL = \\frac{1}{2}\\|u - t\\|^2\n\\frac{\\partial L}{\\partial z} = \\frac{\\partial L}{\\partial u} \\odot a \\odot (1 - a)", "\\Theta: n n, z: n, t: n", wrong=4),
    Row(134, "backpropagation recursion", "a = \\sigma(z)\nu = \\Theta a\nL = \\frac{1}{2}\\|u - t\\|^2\n\\frac{\\partial L}{\\partial z} = a \\odot (1 - a) \\odot (\\Theta^T \\frac{\\partial L}{\\partial u})", "\\Theta: m n, z: n, t: m"),
    Row(112, "fully connected layer", "z = \\Theta a\nb = \\sigma(z)\n\\frac{\\partial b}{\\partial a} = \\operatorname{diag}(b \\odot (1-b)) \\Theta", "\\Theta: m n, a: n"),
    Row(116, "convolution as a banded matrix", f"g = {BANDED} a\ng_i = \\sum_{{j=0}}^{{2}} \\theta_j a_{{i+j-1}}\ng_i = \\sum_{{j=0}}^{{2}} \\theta_j a_{{i+j}}", "\\theta: 3, a: 5", "a: zero_padded", wrong=3),
    Row(139, "gradient accumulation", "z = \\Theta a\nL = \\frac{1}{2}\\|z - t\\|^2\n\\delta = \\frac{\\partial L}{\\partial z}\n\\frac{\\partial L}{\\partial \\Theta_{ij}} = a_j \\delta_i", "\\Theta: m n, a: n, t: m"),
    # activations
    Row(25, "ELU, with and without 0", "f = \\begin{cases} x & x \\ge 0 \\\\ \\alpha (e^x - 1) & x < 0 \\end{cases}\nf = \\begin{cases} x & x > 0 \\\\ \\alpha (e^x - 1) & x \\le 0 \\end{cases}", "x:, alpha:"),
    Row(33, "single neuron", "f = \\sigma(\\sum_i w_i x_i + b)\n\\frac{\\partial f}{\\partial w} = \\sigma(\\sum_i w_i x_i + b)(1-\\sigma(\\sum_i w_i x_i + b)) x", "w: n, x: n, b:"),
    Row(30, "sigmoid derivative", "f = \\sigma(x)\nf = \\frac{1}{1+e^{-x}}\n\\frac{df}{dx} = \\sigma(x)(1-\\sigma(x))"),
    Row(35, "tanh identity", r"\tanh(x)=2\sigma(2x)-1"),
    Row(36, "tanh definition", r"\tanh(x)=\frac{e^x-e^{-x}}{e^x+e^{-x}}"),
    Row(37, "tanh derivative", "f = \\tanh(x)\n\\frac{df}{dx} = 1-\\tanh^2(x)"),
    Row(42, "PReLU as a maximum", "f = \\max(0, x) + \\alpha \\min(0, x)\nf = \\max(\\alpha x,x)", wrong=2),
    Row(60, "sigmoid derivative derived", r"\frac{e^{-x}}{(1+e^{-x})^2}=\left(\frac{1+e^{-x}-1}{1+e^{-x}}\right)\left(\frac{1}{1+e^{-x}}\right)=(1-\sigma(x))\sigma(x)"),
    Row(85, "PReLU", r"\max(0,z)+\alpha\min(0,z) = \begin{cases}z & z\ge 0\\ \alpha z & \text{otherwise}\end{cases}"),
    Row(185, "hand-written activation", "f = 1.7159 \\tanh\\left(\\frac{2}{3}x\\right)\nf = 1.7159 \\tan\\left(\\frac{2}{3}x\\right)", wrong=2),
    # circuits
    Row(47, "gradient example", "f = 3x^2y\n\\frac{\\partial f}{\\partial x} = 6yx\n\\frac{\\partial f}{\\partial y} = 3x^2", "x:, y:"),
    Row(55, "graph example", CIRCUIT + "\\frac{\\partial q}{\\partial x} = 1\n\\frac{\\partial f}{\\partial q} = z\n\\frac{\\partial f}{\\partial z} = q\n\\frac{\\partial f}{\\partial x} = z"),
    Row(58, "primitive derivatives", "f = e^x\n\\frac{df}{dx} = e^x\ng = a x\n\\frac{dg}{dx} = a\nh = \\frac{1}{x}\n\\frac{dh}{dx} = -1/x^2"),
    Row(141, "autodiff example", "y = \\ln(x_1)+x_1x_2-\\sin(x_2)\n\\frac{\\partial y}{\\partial x_1} = 1/x_1 + x_2\n\\frac{\\partial y}{\\partial x_2} = x_1 - \\cos(x_2)"),
    Row(194, "autodiff function", "f = x_1 x_2+\\sin(x_1)\n\\frac{\\partial f}{\\partial x_1} = x_2 + \\cos(x_1)"),
    Row(48, "power rule steps", "f = 3 x^2 y\n\\frac{\\partial f}{\\partial x} = 3 y \\cdot 2 x = 6 y x\n\\frac{\\partial f}{\\partial y} = 3 x^2 \\times 1 = 3 x^2", "x:, y:"),
    Row(56, "chain rule", CIRCUIT + r"\frac{\partial f}{\partial y} = \frac{\partial f}{\partial q} \frac{\partial q}{\partial y}"),
    Row(64, "flat backpropagation", "s = w_0 x_0 + w_1 x_1 + w_2\nL = \\sigma(s)\n\\frac{\\partial L}{\\partial s} = (1 - L) L\n\\frac{\\partial L}{\\partial w_0} = (1 - L) L x_0\n\\frac{\\partial L}{\\partial x_0} = (1 - L) L w_0"),
    Row(87, "sigmoid neuron graph", "f = \\frac{1}{1+e^{-(w_0 x_0 + w_1 x_1 + w_2)}}\nf = \\sigma(w_0 x_0 + w_1 x_1 + w_2)"),
    # vectors and matrices
    Row(91, "vectorised chain rule, in denominator layout", "f = A x\nL = \\frac{1}{2} \\|f\\|^2\n\\frac{\\partial L}{\\partial x} = \\frac{\\partial f}{\\partial x}^T \\frac{\\partial L}{\\partial f}", "A: m n, x: n"),
    Row(195, "Jacobian with as many rows as inputs", "A \\in \\mathbb{R}^{c \\times d}\nx \\in \\mathbb{R}^d\ny = A x\nJ = \\frac{\\partial y}{\\partial x}\nJ \\in \\mathbb{R}^{d \\times d}", wrong=5),
    Row(203, "dimensions of the vector chain rule", "x \\in \\mathbb{R}^d\nB \\in \\mathbb{R}^{m \\times d}\nA \\in \\mathbb{R}^{c \\times m}\nz = B x\ny = A z\ny \\in \\mathbb{R}^m", wrong=6),
    Row(204, "Jacobian size", "y = A x\nJ = \\frac{\\partial y}{\\partial x}\nJ = A", "A: c d, x: d"),
    Row(45, "type of the gradient", "f = x^T x\ng = \\frac{\\partial f}{\\partial x}\ng \\in \\mathbb{R}^{1 \\times 1}", "x: n", wrong=3),
    Row(94, "vectorised example", r"\|W x\|^2=\sum_{i=1}^n(W x)_i^2", "W: n n, x: n"),
    Row(96, "norm of q", "f = \\|q\\|^2\n\\frac{\\partial f}{\\partial q_i}=2q_i", "q: n"),
    Row(97, "dq/dW", "q = W x\n\\frac{\\partial q_k}{\\partial W_{i,j}}=\\mathbf{1}_{k=i}x_j", "W: m n, x: n"),
    Row(98, "df/dW", "q = W x\nf = \\|q\\|^2\n\\frac{\\partial f}{\\partial W_{i,j}}=\\sum_k(2q_k)(\\mathbf{1}_{k=i}x_j)=2q_ix_j", "W: m n, x: n"),
    Row(99, "matrix form", "q = W x\nf = \\|q\\|^2\n\\frac{\\partial f}{\\partial W} = 2q x^T", "W: m n, x: n"),
    Row(197, "d(w^T A x)/dw", "f = w^T A x\n\\frac{\\partial f}{\\partial w} = 2 w^T A", "w: n, A: n n, x: n", wrong=2),
    Row(198, "linear map", "y = A x\n\\frac{\\partial y}{\\partial x} = A", "A: m n, x: n"),
    Row(205, "vector chain rule with a plus", "z = A x\ny = B z\n\\frac{\\partial y}{\\partial x} = B + A", "A: n n, B: n n, x: n", wrong=3),
    Row(202, "scalar chain rule", "z = a x\nL = z^2\n\\frac{\\partial L}{\\partial x} = \\frac{\\partial L}{\\partial z} \\frac{\\partial z}{\\partial x}", "x:, a:"),
    Row(164, "tied autoencoder", r"\|x - V V^\top x\|_2^2 = x^\top x - 2 x^\top V V^\top x + x^\top V V^\top V V^\top x", "V: n k, x: n"),
)
#: Rows that cannot be judged as they are printed: number, document, shapes, and what the reason says.
REFUSED = (
    (8, r"\text{Error}(X)=\text{noise}(X)+\text{bias}(X)+\text{variance}(X)", "", ""),
    (10, "L = -\\log(\\frac{e^{s_y}}{\\sum_j e^{s_j}})\nL = -\\log(\\frac{e^{s y}}{\\sum_j e^{s j}})", "s: C", "index j is used as a number"),
    (109, r"|F(x) - \hat{F}(x)| < \epsilon", "", ""),
    (122, r"c_{s,t} = \sum_{i=0}^{m-1} \sum_{j=0}^{m-1} \sum_{k=0}^{r-1} \Theta_{i,j,k} x_{s+i,t+j}", "\\Theta: m m r, x: n n r", "is the index k missing"),
)
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.topic}")
def test_row(row: Row) -> None:
    document = "\n".join(f"${line}$" for line in row.document.splitlines())
    report = sg.check_derivation(document, shapes=row.shapes or None, assume=row.assume or None)
    assert report.first_wrong_line == (row.wrong or None), str(report)
    assert report.verdict == ("wrong" if row.wrong else "correct"), str(report)


@pytest.mark.parametrize(("number", "printed", "shapes", "reason"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_refused(number: int, printed: str, shapes: str, reason: str) -> None:
    document = "\n".join(f"${line}$" for line in printed.splitlines())
    report = sg.check_derivation(document, shapes=shapes or None, assume="y: label" if "y" in shapes else None)
    assert report.verdict == "undecided", str(report)
    assert reason in str(report)


def test_no_row_comes_twice() -> None:
    assert len({row.number for row in ROWS}) == len(ROWS)
