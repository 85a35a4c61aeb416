"""Simplification and form: rewriting (`rules`), index form to matrix form (`matrix`), trees to print (`trees`)."""
