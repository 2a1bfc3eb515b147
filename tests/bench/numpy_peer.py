"""NumPy's side of the chain: answers each line on stdin with the milliseconds that one evaluation took."""
import sys
import time

import numpy as np

x = np.fromfile(sys.argv[1], dtype=np.float32)
a, b = np.float32(1.5), np.float32(0.25)
t, u = np.empty_like(x), np.empty_like(x)


def chain():  # its best form: in place, no fresh memory
    np.multiply(x, a, out=t)
    np.add(t, b, out=t)
    np.tanh(t, out=t)
    np.multiply(x, x, out=u)
    np.negative(u, out=u)
    np.exp(u, out=u)
    np.multiply(t, u, out=t)


def plain():
    return np.tanh(a * x + b) * np.exp(-x * x)


for form in sys.stdin:
    start = time.perf_counter()
    plain() if form.strip() == "plain" else chain()
    print((time.perf_counter() - start) * 1e3, flush=True)
