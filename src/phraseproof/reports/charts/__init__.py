"""Charts as Vega-Lite specifications: the page draws them in the browser, `plot` on paper, from the same text.

One kind of chart, one file. A chart knows its data, what it says to somebody who cannot see it, and nothing of pages.
"""
