"""The explorer: a page in the browser that answers every move of a slider with a simulation.

`server` answers the page, `session` holds what a tab has, `workers` are the processes that simulate and draw (`work`).
What can be moved stands in sliders.toml, with the range that literature allows and its source; what can be done to the
junction in experiments.toml. Physics and figures are those of `otjdd run` and `otjdd plot`.

Starlette and uvicorn serve it, and the page is plain HTML. A reactive notebook (marimo 0.25.2) would be shorter. But its
apps run in threads of the server, "no interruptions in run mode" (`interrupt_kernel` there), so a move could not end what
still runs; and threads share the settings of matplotlib, which every figure changes while it is drawn.
"""
