"""The two-layer network of the lectures in twenty lines of NumPy; its backward pass is checked, then it is trained.

Run it: `python examples/two_layer_network.py`
"""

import numpy as np

import symgrad as sg

LOSS = "||σ(x w_1) w_2 - y||_F^2"
SHAPES = "x: N D, w_1: D H, w_2: H O, y: N O"


def backward(x, w_1, w_2, y):
    """The loss and the gradients by both weights, written by hand."""
    h = 1 / (1 + np.exp(-x.dot(w_1)))
    y_pred = h.dot(w_2)
    loss = np.square(y_pred - y).sum()
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w_2 = h.T.dot(grad_y_pred)
    grad_h = grad_y_pred.dot(w_2.T)
    grad_w_1 = x.T.dot(grad_h * h * (1 - h))
    return loss, grad_w_1, grad_w_2


def main():
    for place, name in ((1, "w_1"), (2, "w_2")):
        print(sg.derive(LOSS, wrt=name, shapes=SHAPES).text, "\n")
        report = sg.check(LOSS, wrt=name, shapes=SHAPES, claim=lambda place=place, **point: backward(**point)[place])
        print(f"the backward pass for {name} is {report.verdict} ({report.reason})\n")
        assert report, report.reason

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 100)), rng.normal(size=(64, 10))
    w_1, w_2 = rng.normal(size=(100, 50)), rng.normal(size=(50, 10))
    first = None
    for _ in range(500):
        loss, grad_w_1, grad_w_2 = backward(x, w_1, w_2, y)
        first = first or loss
        w_1 -= 1e-3 * grad_w_1
        w_2 -= 1e-3 * grad_w_2
    print(f"loss {first:.1f} -> {loss:.3f} after 500 steps")
    assert loss < first / 100


if __name__ == "__main__":
    main()
