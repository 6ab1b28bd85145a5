"""The machine around a run: files that are whole or absent, signals and limits, processes, imports."""
