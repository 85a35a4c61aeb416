"""The functions of five lecture decks on neural networks and backpropagation.

A formula's number counts through the table of all formulas, numbers and claims of the five decks.  Convolutions and
pooling (formulas 116-124) have a module of their own.  Not here: vector chain rules as such (91, 205), and the network
given by two definitions of its own with a label tree (111).
"""

from symgrad.catalog.entry import Entry

D0 = "Ajou University, Artificial Intelligence 3 (J. Ryu)"
D1 = "Suleyman Demirel University, CSS634 (A. Nussipbekov)"
D2 = "University of Washington, CSE 446 (K. Jamieson)"
D3 = "Georgia Tech, CS 7643 (D. Batra)"

# fmt: off
SCORES = (
    Entry(
        "linear-score", "linear score function", "W x", r"s = f(x;W) = Wx", D0 + ", formula 9", "W: C D, x: D",
        gradients={"x": "W", "W": "[eye(C)[i, j] x_k]_{i,j,k}"},
    ),
    Entry(
        "affine-score", "affine score function under a weight", "g^T (W x + b)", r"g^T (W x + b)", D3 + ", formula 179",
        "g: C, W: C D, x: D, b: C", gradients={"g": "W x + b", "W": "g x^T", "x": "W^T g", "b": "g"},
    ),
    Entry(
        "linear-only", "network without activation", "g^T W_2 W_1 x", r"g^T W_2 W_1 x", D0 + ", formula 21; its printed shape of W_2 W_1 is wrong",
        "g: C, W_2: C H, W_1: H D, x: D", gradients={"g": "W_2 W_1 x", "x": "W_1^T W_2^T g", "W_1": "W_2^T g x^T", "W_2": "g x^T W_1^T"},
    ),
    Entry(
        "two-layer", "two-layer ReLU network", "W_2 max(0, W_1 x)", r"W_2 \max(0, W_1 x)", D0 + ", formula 19",
        "W_2: C H, W_1: H D, x: D",
        gradients={"x": "W_2 diag(1[W_1 x > 0]) W_1", "W_2": "[eye(C)[i, j] max(0, sum_l W_1[k, l] x_l)]_{i,j,k}", "W_1": "[W_2[i, j] 1[sum_l W_1[j, l] x_l > 0] x_k]_{i,j,k}"},
    ),
    Entry(
        "two-layer-vjp", "two-layer ReLU network, gradients from above", "g^T W_2 max(0, W_1 x)", r"g^T W_2 \max(0, W_1 x)",
        D0 + ", formula 19", "g: C, W_2: C H, W_1: H D, x: D",
        gradients={"g": "W_2 max(0, W_1 x)", "W_1": "(W_2^T g .* 1[W_1 x > 0]) x^T", "W_2": "g max(0, W_1 x)^T", "x": "W_1^T (W_2^T g .* 1[W_1 x > 0])"},
    ),
    Entry(
        "three-layer", "three-layer ReLU network under a weight", "g^T W_3 max(0, W_2 max(0, W_1 x))",
        r"g^T W_3 \max(0, W_2 \max(0, W_1 x))", D0 + ", formula 20", "g: C, W_3: C H_2, W_2: H_2 H_1, W_1: H_1 D, x: D",
        gradients={"g": "W_3 max(0, W_2 max(0, W_1 x))", "W_2": "(W_3^T g .* 1[W_2 max(0, W_1 x) > 0]) max(0, W_1 x)^T", "W_1": "(W_2^T (W_3^T g .* 1[W_2 max(0, W_1 x) > 0]) .* 1[W_1 x > 0]) x^T", "W_3": "g max(0, W_2 max(0, W_1 x))^T", "x": "W_1^T (W_2^T (W_3^T g .* 1[W_2 max(0, W_1 x) > 0]) .* 1[W_1 x > 0])"},
    ),
    Entry(
        "sigmoid-net", "three-layer sigmoid network", "g^T (W_3 σ(W_2 σ(W_1 x + b_1) + b_2) + b_3)",
        r"g^T (W_3 \sigma(W_2 \sigma(W_1 x + b_1) + b_2) + b_3)", D0 + ", formula 26",
        "g: O, W_3: O H, W_2: H K, W_1: K D, x: D, b_1: K, b_2: H, b_3: O", gradients={"b_3": "g", "g": "W_3 σ(W_2 σ(W_1 x + b_1) + b_2) + b_3", "W_3": "g σ(W_2 σ(W_1 x + b_1) + b_2)^T", "b_2": "(W_3^T g .* σ(W_2 σ(W_1 x + b_1) + b_2) .* (1 - σ(W_2 σ(W_1 x + b_1) + b_2)))", "W_2": "(W_3^T g .* σ(W_2 σ(W_1 x + b_1) + b_2) .* (1 - σ(W_2 σ(W_1 x + b_1) + b_2))) σ(W_1 x + b_1)^T", "b_1": "(W_2^T (W_3^T g .* σ(W_2 σ(W_1 x + b_1) + b_2) .* (1 - σ(W_2 σ(W_1 x + b_1) + b_2))) .* σ(W_1 x + b_1) .* (1 - σ(W_1 x + b_1)))", "W_1": "(W_2^T (W_3^T g .* σ(W_2 σ(W_1 x + b_1) + b_2) .* (1 - σ(W_2 σ(W_1 x + b_1) + b_2))) .* σ(W_1 x + b_1) .* (1 - σ(W_1 x + b_1))) x^T", "x": "W_1^T (W_2^T (W_3^T g .* σ(W_2 σ(W_1 x + b_1) + b_2) .* (1 - σ(W_2 σ(W_1 x + b_1) + b_2))) .* σ(W_1 x + b_1) .* (1 - σ(W_1 x + b_1)))"},
    ),
    Entry(
        "dense-layer", "fully connected layer in index form", "a_i = σ(sum_j Theta_{ij} x_j)",
        r"a_i = \sigma\left(\sum_j \Theta_{ij} x_j\right)", D2 + ", formula 115", "Theta: m n, x: n",
        gradients={"x": "diag(σ(Theta x) .* (1 - σ(Theta x))) Theta", "Theta": "[σ(sum_l Theta[i, l] x_l) (1 - σ(sum_l Theta[i, l] x_l)) x_k 1[i = j]]_{i,j,k}"},
    ),
)

LOSSES = (
    Entry(
        "softmax-loss-scores", "softmax loss of scores", "-log(e^{s_y} / sum_j e^{s_j})",
        r"-\log\left(\frac{e^{s_y}}{\sum_j e^{s_j}}\right)", D3 + ", formula 167", "s: C, y:", "y: label",
        gradients={"s": "softmax(s) - onehot(y)"},
    ),
    Entry(
        "softmax-loss", "softmax loss of a linear classifier", "s = W x; -log(e^{s_y} / sum_j e^{s_j})",
        r"L = -\log\left(\frac{e^{s_y}}{\sum_j e^{s_j}}\right), \ s = W x", D0 + ", formula 10 as meant; Georgia Tech, CS 7643 (D. Batra), formula 167", "W: C D, x: D, y:", "y: label",
        gradients={"W": "(softmax(W x) - onehot(y)) x^T", "x": "W^T (softmax(W x) - onehot(y))"},
    ),
    Entry(
        "softmax-loss-batch", "softmax loss over a batch with L2", "1/N sum_{i=1}^N -log(softmax(X W^T))_{i y_i} + λ ||W||_F^2",
        r"\frac{1}{N} \sum_{i=1}^N -\log(\operatorname{softmax}(X W^T))_{i y_i} + \lambda \|W\|_F^2", D3 + ", formula 170",
        "X: N D, W: C D, y: N, lam:", "y: label",
        gradients={"X": "1/N (softmax(X W^T) - onehot(y)) W", "lam": "||W||_F^2", "W": "1/N (softmax(X W^T) - onehot(y))^T X + 2 λ W"},
    ),
    Entry(
        "svm-loss-scores", "multiclass hinge loss of scores", "sum_{j != y} max(0, s_j - s_y + 1)",
        r"\sum_{j \neq y} \max(0, s_j - s_y + 1)", D0 + ", formula 11; Lecture 4, Neural Networks and Backpropagation, formula 207", "s: C, y:", "y: label",
        gradients={"s": "g = (1 - onehot(y)) .* 1[s - s_y + 1 > 0]; g - sum(g) onehot(y)"},
    ),
    Entry(
        "svm-loss", "multiclass hinge loss of a linear classifier", "s = W x; sum_{j != y} max(0, s_j - s_y + 1)",
        r"L = \sum_{j \neq y} \max(0, s_j - s_y + 1), \ s = W x", D0 + ", formula 52 with its sign put right", "W: C D, x: D, y:", "y: label",
        gradients={"W": "g = (1 - onehot(y)) .* 1[W x - (W x)_y + 1 > 0]; (g - sum(g) onehot(y)) x^T", "x": "g = (1 - onehot(y)) .* 1[W x - (W x)_y + 1 > 0]; W^T (g - sum(g) onehot(y))"},
    ),
    Entry(
        "svm-loss-batch", "multiclass hinge loss over a batch with L2",
        "s = W x_i; L_i = sum_{j != y_i} max(0, s_j - s_{y_i} + 1); 1/N sum_{i=1}^N L_i + λ sum_k W_k^2",
        r"\frac{1}{N} \sum_{i=1}^N L_i + \lambda \sum_k W_k^2; L_i = \sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1); s = W x_i",
        D0 + ", formulas 49-53", "W: C D, x: N D, y: N, lam:", "y: label",
        gradients={"W": "s = x W^T; g = (1 - onehot(y)) .* 1[s - [s_{i,y_i}]_i ones^T + 1 > 0]; 1/N (g - diag(g ones) onehot(y))^T x + 2 λ W", "x": "s = x W^T; g = (1 - onehot(y)) .* 1[s - [s_{i,y_i}]_i ones^T + 1 > 0]; 1/N (g - diag(g ones) onehot(y)) W", "lam": "||W||_F^2"},
    ),
    Entry(
        "mse", "mean squared error", "yhat = X theta; 1/n sum_{i=1}^n (yhat_i - y_i)^2",
        r"J = \frac{1}{n} \sum_{i=1}^n (\hat y_i - y_i)^2, \ \hat y = X \theta", D0 + ", formula 1", "X: n p, theta: p, y: n",
        gradients={"X": "2/n (X theta - y) theta^T", "y": "2/n (y - X theta)", "theta": "2/n X^T (X theta - y)"},
    ),
    Entry(
        "sse", "sum of squared errors", "sum_{i=1}^n (y_i - yhat_i)^2", r"\sum_{i=1}^n (y_i - \hat y_i)^2", D0 + ", formula 28", "y: n, yhat: n",
        gradients={"y": "2 (y - yhat)", "yhat": "2 (yhat - y)"},
    ),
    Entry(
        "delta-rule", "objective of the delta rule", "1/2 sum_i (t_i - (X w)_i)^2", r"\frac{1}{2} \sum_i (t_i - (X w)_i)^2", D0 + ", formula 13",
        "t: n, X: n p, w: p", gradients={"t": "t - X w", "X": "(X w - t) w^T", "w": "X^T (X w - t)"},
    ),
    Entry(
        "log-likelihood", "binary log-likelihood (printed as a loss)", "yhat = σ(theta^T x); y log(yhat) + (1 - y) log(1 - yhat)",
        r"y \log(\hat y) + (1 - y) \log(1 - \hat y), \ \hat y = \sigma(\theta^T x)", D2 + ", formula 107: as a loss it needs a minus",
        "theta: n, x: n, y:", gradients={"x": "(y - σ(theta^T x)) theta", "theta": "(y - σ(theta^T x)) x", "y": "log(σ(theta^T x)) - log(1 - σ(theta^T x))"},
    ),
    Entry(
        "cross-entropy", "binary cross-entropy", "p = σ(z); -y log(p) - (1 - y) log(1 - p)",
        r"-y \log(p) - (1 - y) \log(1 - p), \ p = \sigma(z)", D2 + ", formula 138", "y:, z:", gradients={"y": "log(1 - σ(z)) - log(σ(z))", "z": "σ(z) - y"},
    ),
    Entry(
        "logistic-regression", "logistic loss over a batch", "p = σ(X w); -sum_i (y_i log(p_i) + (1 - y_i) log(1 - p_i))",
        r"-\sum_i \left(y_i \log(p_i) + (1 - y_i) \log(1 - p_i)\right), \ p = \sigma(X w)", D2 + ", formulas 102-107",
        "X: n d, w: d, y: n", gradients={"X": "(σ(X w) - y) w^T", "w": "X^T (σ(X w) - y)", "y": "log(1 - σ(X w)) - log(σ(X w))"},
    ),
)

REGULARISERS = (
    Entry("l2", "L2 regulariser", "sum_k sum_l W_{k,l}^2", r"\sum_k \sum_l W_{k,l}^2", D3 + ", formula 172", "W: C D", gradients={"W": "2 W"}),
    Entry("l1", "L1 regulariser", "sum_k sum_l |W_{k,l}|", r"\sum_k \sum_l |W_{k,l}|", D3 + ", formula 173", "W: C D", gradients={"W": "sign(W)"}),
    Entry(
        "elastic-net", "elastic net", "sum_k sum_l (β W_{k,l}^2 + |W_{k,l}|)", r"\sum_k \sum_l \left(\beta W_{k,l}^2 + |W_{k,l}|\right)",
        D3 + ", formula 174", "W: C D, beta:", gradients={"beta": "||W||_F^2", "W": "2 β W + sign(W)"},
    ),
    Entry(
        "ridge", "regularised squared error", "1/N ||X w - y||^2 + λ ||w||^2", r"\frac{1}{N} \|X w - y\|^2 + \lambda \|w\|^2", D3 + ", formula 191",
        "X: N D, w: D, y: N, lam:", gradients={"X": "2/N (X w - y) w^T", "y": "2/N (y - X w)", "lam": "||w||^2", "w": "2/N X^T (X w - y) + 2 λ w"},
    ),
)

ACTIVATIONS = (
    Entry("sigmoid", "sigmoid", "1/(1 + e^(-x))", r"\frac{1}{1 + e^{-x}}", D0 + ", formula 22", "x:", gradients={"x": "σ(x) (1 - σ(x))"}),
    Entry("tanh", "hyperbolic tangent", "tanh(x)", r"\tanh(x)", D0 + ", formula 36", "x:", gradients={"x": "1 - tanh(x)^2"}),
    Entry("tanh-exp", "hyperbolic tangent through exponentials", "(e^x - e^(-x))/(e^x + e^(-x))", r"\frac{e^x - e^{-x}}{e^x + e^{-x}}", D0 + ", formula 36", "x:", gradients={"x": "1 - ((e^x - e^(-x))/(e^x + e^(-x)))^2"}),
    Entry("relu", "rectified linear unit", "max(0, x)", r"\max(0, x)", D0 + ", formula 38", "x:", gradients={"x": "1[x > 0]"}),
    Entry("leaky-relu", "leaky ReLU", "max(0.01 x, x)", r"\max(0.01 x, x)", D0 + ", formula 41", "x:", gradients={"x": "0.01 1[x < 0] + 1[x >= 0]"}),
    Entry("leaky-relu-overview", "leaky ReLU of the overview", "max(0.1 x, x)", r"\max(0.1 x, x)", D0 + ", formula 23", "x:", gradients={"x": "0.1 1[x < 0] + 1[x >= 0]"}),
    Entry(
        "prelu", "parametric ReLU", "max(0, z) + α min(0, z)", r"\max(0, z) + \alpha \min(0, z)", D1 + ", formula 85", "z:, alpha:",
        gradients={"z": "1[z > 0] + α 1[z <= 0]", "alpha": "min(0, z)"},
    ),
    Entry(
        "prelu-max", "max(α x, x), the parametric ReLU only for α ≤ 1", "max(α x, x)", r"\max(\alpha x, x)", D0 + ", formula 42", "x:, alpha:",
        gradients={"x": "α 1[α x - x > 0] + 1[x - α x >= 0]", "alpha": "x 1[α x - x > 0]"},
    ),
    Entry(
        "elu", "exponential linear unit", "cases(x if x > 0; α (e^x - 1) otherwise)",
        r"\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & \text{otherwise} \end{cases}", D0 + ", formula 43", "x:, alpha:",
        gradients={"x": "1[x > 0] + α e^x (1 - 1[x > 0])", "alpha": "(e^x - 1) (1 - 1[x > 0])"},
    ),
    Entry(
        "selu", "scaled exponential linear unit", "cases(λ x if x > 0; λ α (e^x - 1) otherwise)",
        r"\begin{cases} \lambda x & x > 0 \\ \lambda \alpha (e^x - 1) & \text{otherwise} \end{cases}", D0 + ", formula 44", "x:, lam:, alpha:",
        gradients={"x": "λ 1[x > 0] + λ α e^x (1 - 1[x > 0])", "lam": "x 1[x > 0] + α (e^x - 1) (1 - 1[x > 0])", "alpha": "λ (e^x - 1) (1 - 1[x > 0])"},
    ),
    Entry("softplus", "softplus", "log(1 + e^x)", r"\log(1 + e^x)", D2 + ", formula 123", "x:", gradients={"x": "σ(x)"}),
    Entry("hard-tanh", "hard tanh", "max(-1, min(1, x))", r"\max(-1, \min(1, x))", D1 + ", formula 82", "x:", gradients={"x": "1[min(1, x) + 1 >= 0] 1[1 - x >= 0]"}),
    Entry("arctan", "arctangent", "arctan(x)", r"\arctan(x)", D2 + ", formula 123", "x:", gradients={"x": "1/(1 + x^2)"}),
    Entry("lecun-tanh", "scaled tanh of LeCun", "1.7159 tanh(2/3 x)", r"1.7159 \tanh(\frac{2}{3} x)", D3 + ", formula 185, where tan is printed", "x:", gradients={"x": "1.7159 * 2/3 (1 - tanh(2/3 x)^2)"}),
    Entry(
        "maxout", "maxout of two", "max(w_1^T x + b_1, w_2^T x + b_2)", r"\max(w_1^T x + b_1, w_2^T x + b_2)", D0 + ", formula 24",
        "w_1: n, w_2: n, x: n, b_1:, b_2:",
        gradients={"w_1": "1[(w_1 - w_2)^T x + b_1 - b_2 > 0] x", "b_1": "1[(w_1 - w_2)^T x + b_1 - b_2 > 0]", "w_2": "1[(w_2 - w_1)^T x + b_2 - b_1 >= 0] x", "x": "1[(w_1 - w_2)^T x + b_1 - b_2 > 0] w_1 + 1[(w_2 - w_1)^T x + b_2 - b_1 >= 0] w_2", "b_2": "1[(w_2 - w_1)^T x + b_2 - b_1 >= 0]"},
    ),
    Entry("relu-vector", "ReLU of a vector", "max(0, x)", r"\max(0, x)", D0 + ", formula 69", "x: n", gradients={"x": "diag(1[x > 0])"}),
)

GRAPHS = (
    Entry(
        "add-multiply", "the first circuit", "(x + y) z", r"(x + y) z", D0 + ", formula 55", "x:, y:, z:",
        gradients={"x": "z", "y": "z", "z": "x + y"},
    ),
    Entry(
        "sigmoid-neuron", "sigmoid neuron as a circuit", "1/(1 + e^(-(w_0 x_0 + w_1 x_1 + w_2)))",
        r"\frac{1}{1 + e^{-(w_0 x_0 + w_1 x_1 + w_2)}}", D0 + ", formula 57", "w_0:, x_0:, w_1:, x_1:, w_2:",
        gradients={"w_0": "σ(w_0 x_0 + w_1 x_1 + w_2) (1 - σ(w_0 x_0 + w_1 x_1 + w_2)) x_0", "x_0": "σ(w_0 x_0 + w_1 x_1 + w_2) (1 - σ(w_0 x_0 + w_1 x_1 + w_2)) w_0", "w_1": "σ(w_0 x_0 + w_1 x_1 + w_2) (1 - σ(w_0 x_0 + w_1 x_1 + w_2)) x_1", "x_1": "σ(w_0 x_0 + w_1 x_1 + w_2) (1 - σ(w_0 x_0 + w_1 x_1 + w_2)) w_1", "w_2": "σ(w_0 x_0 + w_1 x_1 + w_2) (1 - σ(w_0 x_0 + w_1 x_1 + w_2))"},
    ),
    Entry(
        "neuron", "sigmoid neuron", "σ(w^T x + b)", r"\sigma(w^T x + b)", D0 + ", formula 33", "w: n, x: n, b:",
        gradients={"x": "σ(w^T x + b) (1 - σ(w^T x + b)) w", "w": "σ(w^T x + b) (1 - σ(w^T x + b)) x", "b": "σ(w^T x + b) (1 - σ(w^T x + b))"},
    ),
    Entry(
        "autodiff", "the function of the autodiff traces", "ln(x_1) + x_1 x_2 - sin(x_2)", r"\ln(x_1) + x_1 x_2 - \sin(x_2)", D2 + ", formula 141",
        "x_1:, x_2:", gradients={"x_1": "1/x_1 + x_2", "x_2": "x_1 - cos(x_2)"},
    ),
    Entry(
        "product-plus-sine", "two inputs, one used twice", "x_1 x_2 + sin(x_1)", r"x_1 \cdot x_2 + \sin(x_1)", D3 + ", formula 194", "x_1:, x_2:",
        gradients={"x_1": "x_2 + cos(x_1)", "x_2": "x_1"},
    ),
    Entry("polynomial", "gradient example", "3 x^2 y", r"3 x^2 y", D0 + ", formula 47", "x:, y:", gradients={"x": "6 x y", "y": "3 x^2"}),
    Entry("chain", "nested chain rule", "sin(e^(x^2))", r"\sin(e^{x^2})", D0 + ", formula 76", "x:", gradients={"x": "2 cos(e^(x^2)) e^(x^2) x"}),
    Entry("and-gate", "AND as a neuron", "σ(-30 + 20 x_1 + 20 x_2)", r"\sigma(-30 + 20 x_1 + 20 x_2)", D2 + ", formula 110", "x_1:, x_2:", gradients={"x_1": "20 σ(-30 + 20 x_1 + 20 x_2) (1 - σ(-30 + 20 x_1 + 20 x_2))", "x_2": "20 σ(-30 + 20 x_1 + 20 x_2) (1 - σ(-30 + 20 x_1 + 20 x_2))"}),
)

MATRICES = (
    Entry(
        "wx2", "the vectorised example", "||W x||^2", r"\|W \cdot x\|^2 = \sum_{i=1}^n (W \cdot x)_i^2", D1 + ", formula 94", "W: m n, x: n",
        gradients={"W": "2 W x x^T", "x": "2 W^T W x"},
    ),
    Entry("squared-norm", "squared norm", "||q||^2", r"\|q\|^2", D1 + ", formula 96", "q: n", gradients={"q": "2 q"}),
    Entry("dot", "inner product", "w^T x", r"w^T x", D3 + ", formula 196", "w: n, x: n", gradients={"w": "x", "x": "w"}),
    Entry("bilinear", "bilinear form", "w^T A x", r"w^T A x", D3 + ", formula 197, whose 2 wᵀA is wrong", "w: m, A: m n, x: n", gradients={"A": "w x^T", "w": "A x", "x": "A^T w"}),
    Entry("quadratic", "quadratic form", "x^T A x", r"x^T A x", D3 + ", formula 197", "x: n, A: n n", gradients={"x": "(A + A^T) x", "A": "x x^T"}),
    Entry(
        "matrix-product", "matrix product in index form under a weight", "sum_{ij} G_{ij} sum_k X_{ik} W_{kj}",
        r"\sum_{ij} G_{ij} \sum_k X_{ik} W_{kj}", D3 + ", formula 199", "G: n p, X: n d, W: d p", gradients={"G": "X W", "W": "X^T G", "X": "G W^T"},
    ),
    Entry(
        "two-layer-squares", "the 20-line network", "||σ(x w_1) w_2 - y||_F^2", r"\|\sigma(x w_1) w_2 - y\|_F^2", D0 + ", formula 27",
        "x: N D, w_1: D H, w_2: H O, y: N O", gradients={"w_1": "2 x^T (((σ(x w_1) w_2 - y) w_2^T) .* σ(x w_1) .* (1 - σ(x w_1)))", "w_2": "2 σ(x w_1)^T (σ(x w_1) w_2 - y)", "x": "2 (((σ(x w_1) w_2 - y) w_2^T) .* σ(x w_1) .* (1 - σ(x w_1))) w_1^T", "y": "2 (y - σ(x w_1) w_2)"},
    ),
    Entry(
        "two-layer-softmax", "two-layer ReLU network under the softmax loss",
        "s = W_2 max(0, W_1 x); -log(e^{s_y} / sum_j e^{s_j})",
        r"-\log\left(\frac{e^{s_y}}{\sum_j e^{s_j}}\right), \ s = W_2 \max(0, W_1 x)", D0 + ", formulas 10 and 19",
        "W_1: H D, W_2: C H, x: D, y:", "y: label",
        gradients={"W_2": "(softmax(W_2 max(0, W_1 x)) - onehot(y)) max(0, W_1 x)^T", "W_1": "(W_2^T (softmax(W_2 max(0, W_1 x)) - onehot(y)) .* 1[W_1 x > 0]) x^T", "x": "W_1^T (W_2^T (softmax(W_2 max(0, W_1 x)) - onehot(y)) .* 1[W_1 x > 0])"},
    ),
    Entry(
        "linear-autoencoder", "linear autoencoder", "||x - B A x||^2", r"\|x - B A x\|_2^2", D2 + ", formula 163", "x: n, B: n k, A: k n",
        gradients={"A": "2 B^T (B A x - x) x^T", "B": "-2 (x - B A x) x^T A^T", "x": "2 (x - B A x) - 2 A^T B^T (x - B A x)"},
    ),
    Entry("tied-autoencoder", "tied autoencoder (PCA)", "||x - V V^T x||^2", r"\|x - V V^{\top} x\|_2^2", D2 + ", formula 164", "x: n, V: n k", gradients={"x": "2 (x - V V^T x) - 2 V V^T (x - V V^T x)", "V": "-2 ((x - V V^T x) x^T V + x (x - V V^T x)^T V)"}),
    Entry("autoencoder", "autoencoder with a sigmoid code", "||x - B σ(A x)||^2", r"\|x - B \sigma(A x)\|_2^2", D2 + ", formula 161", "x: n, B: n k, A: k n", gradients={"B": "2 (B σ(A x) - x) σ(A x)^T", "A": "2 (B^T (B σ(A x) - x) .* σ(A x) .* (1 - σ(A x))) x^T", "x": "-2 (B σ(A x) - x) + 2 A^T (B^T (B σ(A x) - x) .* σ(A x) .* (1 - σ(A x)))"}),
    Entry(
        "sparse-autoencoder", "sparse autoencoder, penalty inside the sum", "||x - B σ(A x)||^2 + λ ||σ(A x)||_1",
        r"\|x - B \sigma(A x)\|_2^2 + \lambda \|\sigma(A x)\|_1", D2 + ", formula 162 with its penalty inside", "x: n, B: n k, A: k n, lam:",
        gradients={"B": "2 (B σ(A x) - x) σ(A x)^T", "A": "((2 B^T (B σ(A x) - x) + λ sign(σ(A x))) .* σ(A x) .* (1 - σ(A x))) x^T", "x": "-2 (B σ(A x) - x) + A^T ((2 B^T (B σ(A x) - x) + λ sign(σ(A x))) .* σ(A x) .* (1 - σ(A x)))", "lam": "sum(σ(A x))"},
    ),
    Entry(
        "backpropagation", "the deep logistic network of the recursion", "a_2 = σ(U x); a_3 = σ(V a_2); yhat = σ(w^T a_3); y log(yhat) + (1 - y) log(1 - yhat)",
        r"y \log(\hat y) + (1 - y) \log(1 - \hat y); \hat y = \sigma(w^T a^{(3)}); a^{(3)} = \sigma(V a^{(2)}); a^{(2)} = \sigma(U x)",
        D2 + ", formulas 131-136", "U: h n, V: k h, w: k, x: n, y:",
        gradients={"w": "(y - σ(w^T σ(V σ(U x)))) σ(V σ(U x))", "y": "log(σ(w^T σ(V σ(U x)))) - log(1 - σ(w^T σ(V σ(U x))))", "V": "((y - σ(w^T σ(V σ(U x)))) w .* σ(V σ(U x)) .* (1 - σ(V σ(U x)))) σ(U x)^T", "U": "(V^T ((y - σ(w^T σ(V σ(U x)))) w .* σ(V σ(U x)) .* (1 - σ(V σ(U x)))) .* σ(U x) .* (1 - σ(U x))) x^T", "x": "U^T (V^T ((y - σ(w^T σ(V σ(U x)))) w .* σ(V σ(U x)) .* (1 - σ(V σ(U x)))) .* σ(U x) .* (1 - σ(U x)))"},
    ),
    Entry(
        "two-paths", "a weight that acts on two paths", "1/2 (v^T σ(U σ(w x)) - y)^2", r"\frac{1}{2} (v^T \sigma(U \sigma(w x)) - y)^2", D1 + ", formula 77",
        "v: 2, U: 2 2, w: 2 3, x: 3, y:",
        gradients={"v": "(v^T σ(U σ(w x)) - y) σ(U σ(w x))", "U": "((v^T σ(U σ(w x)) - y) v .* σ(U σ(w x)) .* (1 - σ(U σ(w x)))) σ(w x)^T", "w": "(U^T ((v^T σ(U σ(w x)) - y) v .* σ(U σ(w x)) .* (1 - σ(U σ(w x)))) .* σ(w x) .* (1 - σ(w x))) x^T", "x": "w^T (U^T ((v^T σ(U σ(w x)) - y) v .* σ(U σ(w x)) .* (1 - σ(U σ(w x)))) .* σ(w x) .* (1 - σ(w x)))", "y": "y - v^T σ(U σ(w x))"},
    ),
)
GATES = (
    Entry("exp-gate", "exponential gate", "e^x", r"e^x", D0 + ", formula 58", "x:", gradients={"x": "e^x"}),
    Entry("scale-gate", "scaling gate", "a x", r"a x", D0 + ", formula 58", "a:, x:", gradients={"x": "a", "a": "x"}),
    Entry("reciprocal-gate", "reciprocal gate", "1/x", r"\frac{1}{x}", D0 + ", formula 58", "x:", gradients={"x": "-1/x^2"}),
    Entry("shift-gate", "shifting gate", "c + x", r"c + x", D0 + ", formula 58", "c:, x:", gradients={"x": "1", "c": "1"}),
    Entry("add-gate", "add gate: distributes", "x + y", r"x + y", D0 + ", formula 63", "x:, y:", gradients={"x": "1", "y": "1"}),
    Entry("multiply-gate", "multiply gate: swaps", "x y", r"x y", D0 + ", formula 63", "x:, y:", gradients={"x": "y", "y": "x"}),
    Entry("max-gate", "max gate: routes", "max(x, y)", r"\max(x, y)", D0 + ", formula 63", "x:, y:", gradients={"x": "1[x > y]", "y": "1[y >= x]"}),
    Entry("copy-gate", "copy gate: adds", "a x + b x", r"a x + b x", D0 + ", formula 63", "a:, b:, x:", gradients={"x": "a + b", "a": "x", "b": "x"}),
    Entry("sine-gate", "the last gate of the autodiff traces", "-sin(v)", r"-\sin(v)", D2 + ", formula 148", "v:", gradients={"v": "-cos(v)"}),
    Entry("identity", "identity activation", "x", r"x", D1 + ", formula 81", "x:", gradients={"x": "1"}),
    Entry("relu-vjp", "ReLU of a vector, gradients from above", "g^T max(0, x)", r"g^T \max(0, x)", D0 + ", formula 74", "g: n, x: n", gradients={"x": "g .* 1[x > 0]", "g": "max(0, x)"}),
    Entry("softmax", "softmax", "softmax(s)", r"\operatorname{softmax}(s)", D3 + ", formula 167", "s: n", gradients={"s": "diag(softmax(s)) - softmax(s) softmax(s)^T"}),
    Entry("logistic-node", "logistic regression node", "σ(theta^T x)", r"\sigma(\theta^T x)", D2 + ", formula 102", "theta: n, x: n", gradients={"theta": "σ(theta^T x) (1 - σ(theta^T x)) x", "x": "σ(theta^T x) (1 - σ(theta^T x)) theta"}),
    Entry("prelu-cases", "parametric ReLU in cases", "cases(z if z >= 0; α z otherwise)", r"\begin{cases} z & z \geq 0 \\ \alpha z & \text{otherwise} \end{cases}", D1 + ", formula 84", "z:, alpha:", gradients={"z": "1[z >= 0] + (1 - 1[z >= 0]) α", "alpha": "(1 - 1[z >= 0]) z"}),
    Entry("directional", "a function along a direction", "sum(sin(x + t v))", r"\sum_i \sin(x_i + t v_i)", D3 + ", formula 188", "x: n, t:, v: n", gradients={"t": "v^T cos(x + t v)", "x": "cos(x + t v)", "v": "t cos(x + t v)"}),
    Entry(
        "xnor", "XNOR as a network", "a = σ(-30 + 20 x_1 + 20 x_2); b = σ(10 - 20 x_1 - 20 x_2); σ(-10 + 20 a + 20 b)",
        r"\sigma(-10 + 20 a + 20 b); a = \sigma(-30 + 20 x_1 + 20 x_2); b = \sigma(10 - 20 x_1 - 20 x_2)", D2 + ", formula 111", "x_1:, x_2:",
        gradients={"x_1": "σ(-10 + 20 σ(-30 + 20 x_1 + 20 x_2) + 20 σ(10 - 20 x_1 - 20 x_2)) (1 - σ(-10 + 20 σ(-30 + 20 x_1 + 20 x_2) + 20 σ(10 - 20 x_1 - 20 x_2))) (400 σ(-30 + 20 x_1 + 20 x_2) (1 - σ(-30 + 20 x_1 + 20 x_2)) - 400 σ(10 - 20 x_1 - 20 x_2) (1 - σ(10 - 20 x_1 - 20 x_2)))", "x_2": "σ(-10 + 20 σ(-30 + 20 x_1 + 20 x_2) + 20 σ(10 - 20 x_1 - 20 x_2)) (1 - σ(-10 + 20 σ(-30 + 20 x_1 + 20 x_2) + 20 σ(10 - 20 x_1 - 20 x_2))) (400 σ(-30 + 20 x_1 + 20 x_2) (1 - σ(-30 + 20 x_1 + 20 x_2)) - 400 σ(10 - 20 x_1 - 20 x_2) (1 - σ(10 - 20 x_1 - 20 x_2)))"},
    ),
    Entry(
        "hidden-layer", "one hidden layer under a squared error", "1/2 (v^T σ(W x) - y)^2", r"\frac{1}{2} (v^T \sigma(W x) - y)^2", D1 + ", formula 80",
        "v: h, W: h n, x: n, y:", gradients={"v": "(v^T σ(W x) - y) σ(W x)", "W": "(v^T σ(W x) - y) (v .* σ(W x) .* (1 - σ(W x))) x^T", "x": "(v^T σ(W x) - y) W^T (v .* σ(W x) .* (1 - σ(W x)))", "y": "y - v^T σ(W x)"},
    ),
    Entry(
        "softmax-loss-columns", "softmax loss over a batch, a class a column", "1/N sum_{i=1}^N -log(softmax(X W))_{i y_i} + λ ||W||_F^2",
        r"\frac{1}{N} \sum_{i=1}^N -\log(\operatorname{softmax}(X W))_{i y_i} + \lambda \|W\|_F^2", D3 + ", formula 170",
        "X: N D, W: D C, y: N, lam:", "y: label", gradients={"W": "1/N X^T (softmax(X W) - onehot(y)) + 2 λ W", "X": "1/N (softmax(X W) - onehot(y)) W^T", "lam": "||W||_F^2"},
    ),
)
# fmt: on

LECTURES: tuple[Entry, ...] = SCORES + LOSSES + REGULARISERS + ACTIVATIONS + GRAPHS + MATRICES + GATES
