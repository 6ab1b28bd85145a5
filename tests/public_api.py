"""A script as users write it. mypy checks its use of the public names; it is never run."""

import numpy as np

import otjdd

case: otjdd.Case = otjdd.load_case("rv-loop").replace("temperature", "350 K")
ds = otjdd.run(case, {"device.film.thickness": "3.2 nm"})
otjdd.write(ds, "warm.nc")
again = otjdd.read("warm.nc")
otjdd.figure(again, ["bands"]).savefig("warm.png")
studied = otjdd.study("thickness", "folder", {"study.grid": {}}, workers=2)
line = otjdd.slope(studied, "read_resistance[1]", "device.film.thickness", log_y=True)
scatter = otjdd.variability(studied, settling=1)
even = otjdd.resample(ds, "1 ms")
otjdd.to_csv(even, "even.csv", over="time")
V, R = np.linspace(0, 1, 11), np.ones(11)
numbers: dict[str, float] = otjdd.synapse.loop(otjdd.measured(write_voltage=V, read_resistance=R))
nu: dict[str, float] = otjdd.plasticity.nonlinearity(R, R[::-1])
barrier: float = otjdd.fits.fit_thermionic(V, R, 300.0, 1e-10, 1.56e6).barrier
current = otjdd.textbook.simmons(V, 0.6, 2.8e-9)
data = otjdd.read_data("loop.csv", keep={"voltage": (-1.0, 1.0)})
found = otjdd.fit(data, case, {"ions.density": ("1e26 1/m^3", "1e27 1/m^3"), "device.left.barrier": None}, workers=2)
band = otjdd.predict(found, {"kind": "pulse", "voltage": "1 V", "width": "1 us"}, count=50)
later = otjdd.design(found, {"hot": {"temperature": "350 K"}})
for shipped in otjdd.cases():
    print(shipped.name, shipped.title, shipped.question)
try:
    otjdd.run("rv-loop")
except otjdd.SolverError as error:
    print(error.reason)
except otjdd.CaseError as error:
    print(error.problems)
