"""Which folders become which packages; everything else about the distribution stands in pyproject.toml.

`cli/` is shipped as `symgrad_cli`, since a top-level package named `cli` would collide with others.  The folders below
`symgrad/` are found rather than listed, so that a new one cannot be forgotten in a wheel.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["symgrad", "symgrad.*"]), "symgrad_cli"],
    package_dir={"symgrad_cli": "cli"},
)
