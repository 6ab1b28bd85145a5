"""The mutants that no test needs to notice are lines of the kernels as they are."""

import pytest

from validation.tests import mutation


@pytest.mark.parametrize("module", sorted({module for module, _, _ in mutation.explanations()}))
def test_the_line_of_an_explained_mutant_is_in_its_module(module):
    file = mutation.ROOT / "otjdd" / mutation.home_of(module) / f"{module}.py"
    lines = {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
    explained = {before for name, before, _ in mutation.explanations() if name == module}
    assert explained - lines == set()
