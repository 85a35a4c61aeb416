"""Convolutions and pooling, each under the gradient G (or g) from above, at one small size.

A layer is called a convolution where it is a correlation, as everywhere in deep learning.  Its gradient by the filter is
the correlation of the input with the gradient from above; by the input, the sum of what every output read there.
"""

from symgrad.catalog.entry import Entry

D2 = "University of Washington, CSE 446 (K. Jamieson)"
BOOK = "Goodfellow, Bengio and Courville, Deep Learning"
GUIDE = "Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016)"

# fmt: off
CONVOLUTIONS: tuple[Entry, ...] = (
    Entry(
        "conv1d", "1-d convolution", "sum_i g_i sum_{j=0}^{2} theta_j x_{i+j}", r"\sum_i g_i \sum_{j=0}^{m-1} \theta_j x_{i+j}",
        D2 + ", formula 118", "g: 4, theta: 3, x: 6",
        gradients={"g": "conv1d(theta, x)", "theta": "[sum_{j=1}^4 g_j x_{j + i - 1}]_{i <= 3}", "x": "[sum_{j=1}^4 sum_{k=1}^3 g_j theta_k 1[i = j + k - 1]]_{i <= 6}"},
    ),
    Entry(
        "conv1d-same", "1-d convolution with zeros beyond the ends", "[sum_{j=1}^3 theta_j a_{i+j-2}]_{i <= 4}",
        r"g_i = \sum_{j=0}^{2} \theta_j a_{i+j-1}", D2 + ", formula 116, centred as its matrix is", "theta: 3, a: 4", "a: zero_padded",
        gradients={"theta": "[sum_{k=1}^4 a_k 1[k = i + j - 2]]_{i <= 4, j <= 3}", "a": "[sum_{k=1}^3 theta_k 1[j = i + k - 2]]_{i <= 4, j <= 4}"},
    ),
    Entry(
        "conv1d-stride", "1-d convolution with stride 2", "sum_i g_i sum_{j=0}^{2} w_j x_{2 i + j}", r"\sum_i g_i \sum_{j=0}^{2} w_j x_{2 i + j}",
        GUIDE + ", 2.3", "g: 3, w: 3, x: 7",
        gradients={"g": "[sum_{j=1}^{3} w_j x_{2 i + j - 2}]_{i <= 3}", "w": "[sum_{j=1}^{3} g_j x_{2 j + i - 2}]_{i <= 3}", "x": "[sum_{j=1}^3 sum_{k=1}^3 g_j w_k 1[i = 2 j + k - 2]]_{i <= 7}"},
    ),
    Entry(
        "conv2d", "2-d convolution", "sum_{i,j} G_{ij} sum_{m=0}^{1} sum_{n=0}^{2} I_{i+m,j+n} K_{m,n}", r"\sum_{i,j} G_{ij} \sum_m \sum_n I(i+m,j+n) K(m,n)", BOOK + f", equation 9.6; {D2}, formula 120",
        "G: 3 2, I: 4 4, K: 2 3",
        gradients={"G": "conv2d(I, K)", "K": "[sum_{k=1}^3 sum_{l=1}^2 G_{k,l} I_{k + i - 1, l + j - 1}]_{i <= 2, j <= 3}", "I": "[sum_{k=1}^3 sum_{l=1}^2 sum_{p=1}^2 sum_{q=1}^3 G_{k,l} K_{p,q} 1[i = k + p - 1] 1[j = l + q - 1]]_{i <= 4, j <= 4}"},
    ),
    Entry(
        "conv2d-channels", "2-d convolution over channels", "sum_{s,t} G_{st} sum_{i=0}^{1} sum_{j=0}^{1} sum_k Theta_{i,j,k} x_{s+i,t+j,k}", r"\sum_{s,t} G_{st} \sum_{i=0}^{1} \sum_{j=0}^{1} \sum_k \Theta_{i,j,k} x_{s+i,t+j,k}",
        D2 + ", formula 122 with its channel index", "G: 2 2, Theta: 2 2 3, x: 3 3 3",
        gradients={"G": "conv3d(Theta, x)", "Theta": "[sum_{l,p} G_{l,p} x_{l+i-1,p+j-1,k}]_{i <= 2, j <= 2, k <= 3}", "x": "[sum_{l=1}^2 sum_{p=1}^2 sum_{q=1}^2 sum_{r=1}^2 G_{l,p} Theta_{q,r,k} 1[i = l + q - 1] 1[j = p + r - 1]]_{i <= 3, j <= 3, k <= 3}"},
    ),
    Entry(
        "average-pooling", "average pooling of pairs", "sum_i g_i (1/2) sum_{j=0}^{1} x_{2 i + j}", r"\sum_i g_i \frac{1}{2} \sum_{j=0}^{1} x_{2 i + j}",
        BOOK + ", 9.3", "g: 3, x: 6",
        gradients={"g": "[1/2 sum_{j=1}^{2} x_{2 i + j - 2}]_{i <= 3}", "x": "[1/2 sum_{j=1}^3 sum_{k=1}^2 g_j 1[i = 2 j + k - 2]]_{i <= 6}"},
    ),
    Entry(
        "max-pooling", "max pooling of pairs", "sum_i g_i max_{j=0}^{1} x_{2 i + j}", r"\sum_i g_i \max_{j=0}^{1} x_{2 i + j}", f"{BOOK}, 9.3; {D2}, formula 124", "g: 3, x: 6",
        gradients={"g": "max([x_{2 i + j - 2}]_{i <= 3, j <= 2})", "x": "[sum_{j=1}^3 sum_{k=1}^2 g_j argmax([x_{2 i + j - 2}]_{i <= 3, j <= 2})_{j,k} 1[i = 2 j + k - 2]]_{i <= 6}"},
    ),
)
# fmt: on
