"""The computational graph of a neuron and the traces of an expression, as in the lectures.

python examples/graph.py
"""

import symgrad as sg

# Values above the wires, gradients below; .svg() and .png() draw the same for a page or a print.
neuron = sg.draw("sigmoid(w_0 x_0 + w_1 x_1 + w_2)", at="w_0=2, x_0=-1, w_1=-3, x_1=-2, w_2=-3", gates="fine")
print(neuron.text, end="\n\n")
print(neuron.description, end="\n\n")

trace = sg.trace("ln(x1) + x1 x2 - sin(x2)", at="x1=2, x2=5")
for line in trace.primal + trace.reverse:
    print(f"{line.name:5} = {line.formula:15} = {line.value:.3f}")
