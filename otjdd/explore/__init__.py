"""The explorer: a page in the browser that answers every move of a slider with a simulation.

`server` answers the page, `tab` holds the state of a tab, `workers` are the processes that simulate and draw.
sliders.toml lists the sliders, with the range of each in the literature and its source; experiments.toml lists the
experiments. Physics and figures are the same as in `otjdd run` and `otjdd plot`.

The page is plain HTML, served by Starlette and uvicorn. A reactive notebook (marimo 0.25.2) would be shorter, but its
apps run in threads of the server: a move could not end a simulation that still runs, and threads share the settings of
matplotlib, which every figure changes while it is drawn.
"""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)
