"""The variance of scores over wordings, draws of demonstrations, orders of options and examples, as crossed facets."""
