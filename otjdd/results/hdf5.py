"""Check of an HDF5 file before it is read as a result: it may only hold arrays whose data are in the file itself.

HDF5 can also refer to other files: as the storage of an array, as parts of a virtual array, as the target of a link.
Reading such an array opens these files, whatever they are; reading a pipe would never end.
"""

import io
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

FILTERS = {
    1: "deflate",
    2: "shuffle",
    3: "fletcher32",
}  # filters that otjdd writes; HDF5 would load others from libraries


def foreign(data: bytes) -> str:
    """The first object of an HDF5 file that is not an array stored in the file itself, in words; "" if there is none.

    Reads descriptions and no array. Raises OSError, RuntimeError, ValueError for a file that is no HDF5 file.
    """
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        root = file.id
        for name in root:
            object_name = ascii(name.decode("utf-8", "replace"))
            if root.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                return f"{object_name} is a link"
            inner = h5py.h5o.open(root, name)
            if not isinstance(inner, h5py.h5d.DatasetID):
                return f"{object_name} is no array"
            if fault := outside(inner.get_create_plist()):
                return f"{object_name} {fault}"
    return ""


def unpacked_bytes(data: bytes) -> float:
    """Memory that the arrays of an HDF5 file take when they are read [bytes]; a compressed file may be much smaller.

    Reads descriptions and no array. Raises OSError, RuntimeError, ValueError for a file that is no HDF5 file.
    """
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        arrays = [item for item in file.values() if isinstance(item, h5py.Dataset)]
        return float(sum(math.prod(map(float, array.shape or ())) * array.dtype.itemsize for array in arrays))


def outside(properties: "h5py.h5p.PropDCID") -> str:
    """Fault of the storage of an array, in words: another file, other arrays or an unknown filter; "" if there is none."""
    import h5py

    if properties.get_external_count():
        return "is kept in another file"
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        return "is made of other arrays"
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    unknown = [number for number in filters if number not in FILTERS]
    return f"is kept by the filter {unknown[0]}" if unknown else ""
