# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A device of your own
#
# Two stacks that are not the reference device: TiN | HfO2 | TiN, and Au | BaTiO3 | Nb:SrTiO3. The cases are the files
# `tin-hfo2-tin.toml` and `au-bto-nbsto.toml` next to this notebook; they come with otjdd, and load from any folder. They
# stand on `junction.toml`, a base without wells, fixed charge or anything fitted: on `li2019.toml` they would take over
# what was calibrated for another stack. Each number has its source, or says that it is assumed. `otjdd check` names what a
# case takes over from another material.
#
# Nothing in these stacks is calibrated. The question is therefore not "how large is the current" but "which of the
# device's effects are in the model, and which are not".

# %%
import numpy as np

import otjdd

hafnia = otjdd.load_case("tutorials/tin-hfo2-tin")
titanate = otjdd.load_case("tutorials/au-bto-nbsto")
print(hafnia.title, "|", titanate.title)

# %% [markdown]
# ## TiN | HfO2 | TiN
#
# A 3 nm film between equal metals, its vacancies compensated by fixed charge.

# %%
symmetric = otjdd.run(hafnia)
uneven = otjdd.run(hafnia, {"device.left.barrier": "1.7 eV", "device.right.barrier": "2.1 eV"})


def window(ds):
    """Largest over smallest resistance of all reads."""
    resistance = ds.read_resistance.values
    return resistance.max() / resistance.min()


print(f"equal barriers: {window(symmetric):.2f}; barriers of 1.7 and 2.1 eV: {window(uneven):.2f}")

# %% [markdown]
# The window is a few percent, and the reason is symmetry: vacancies at the one interface lower the one barrier and
# raise the other. Unequal barriers open it a little more. Measured windows of HfO2 cells are 10 to 1000. They come from
# a filament that is formed first and then broken and mended: three dimensions, heat, and vacancies that are made and
# lost. None of these is in this model. It can say what a uniform film would do, and that a uniform film does not
# explain those cells.

# %%
moved = symmetric.vacancy_mean_position.values
print(f"vacancies move by {np.ptp(moved) * 1e9:.2f} nm, and the resistance changes by {window(symmetric) - 1:.1%}")

# %% [markdown]
# ## Au | BaTiO3 | Nb:SrTiO3
#
# The classical ferroelectric tunnel junction, without its ferroelectricity: a linear dielectric with vacancies.
# Resistances are read at 0.1 V, after writes of 100 ms up to +3 V, down to -3 V and back.


# %%
def after(ds, voltage):
    """Resistance read after the first write of a voltage, ohm."""
    return float(ds.read_resistance[int(np.argmin(np.abs(ds.write_voltage.values - voltage)))])


results = {}
for name, changes in {
    "5e25 vacancies per m^3": {},
    "2e26": {"ions.density": "2e26 1/m^3"},
    "2e26, well of 0.5 eV": {"ions.density": "2e26 1/m^3", "ions.well_right": "0.5 eV"},
    "2e26, well of 1 eV": {"ions.density": "2e26 1/m^3", "ions.well_right": "1 eV"},
}.items():
    results[name] = otjdd.run(titanate, changes)
    set_, rest, reset = (after(results[name], voltage) for voltage in (3.0, 0.0, -3.0))
    print(f"{name:24} after +3 V {set_:.2g}, after 0 V {rest:.2g}, after -3 V {reset:.2g} ohm")

# %% [markdown]
# - Vacancies alone make a window, and it grows steeply with their density, because they charge the film.
# - It is volatile: the built-in field of Au against Nb:SrTiO3 draws the vacancies back to Au at 0 V. In the reference
#   device a well at the interface keeps them.
# - A well of 0.5 eV at Nb:SrTiO3 keeps more of the low state. With 1 eV, -3 V no longer resets it in 100 ms. How deep
#   it is in BaTiO3 is not known.
#
# Before any of this is believed, ask the results themselves:

# %%
loop = results["2e26, well of 0.5 eV"]
print(loop.attrs["model_limits"] or "within the limits of the model")
peak = int(np.argmax(loop.current.values))
print(f"at {float(loop.voltage[peak]):.1f} V of the source the junction has {float(loop.junction_voltage[peak]):.2f} V")

# %% [markdown]
# The positive writes are beyond the model. Above the barrier of 1.1 eV the junction conducts so well that the series
# resistance of 55 ohm takes more than half of the voltage, at a current density that no junction survives. A junction of
# this stack is written at lower voltages, and there these vacancies do not move.
#
# What moves there is the polarisation, and it is not in the model at all. A window that is measured on such a stack
# must not be fitted with this case: the vacancies would take over what the polarisation does.

# %%
figure = otjdd.figure(loop, ["loop", "bands"])
figure.savefig("own-device.png", dpi=150)
figure

# %% [markdown]
# To go on: `otjdd check` for a case file of your own, `otjdd calibrate` when you have measured numbers, and the limits
# in the README before you believe a fit.
