"""Generated parts of files: replaced between their marks, and nothing else."""

import pytest

from otjdd.system import text_files

TEXT = "before\n<!-- speed:begin -->\nold\n\nolder\n<!-- speed:end -->\nafter\n"


def test_a_part_is_replaced_between_its_marks_as_often_as_one_likes(tmp_path):
    file = tmp_path / "README.md"
    file.write_text(TEXT)
    assert text_files.generated_part_of(file, "speed") == "old\n\nolder"
    for body in ("new", "newer\nlines"):
        text_files.replace_generated_part(file, "speed", body)
        assert file.read_text() == TEXT.replace("old\n\nolder", body)


@pytest.mark.parametrize("text", ["no marks", TEXT.replace("end", "END"), "<!-- speed:end --><!-- speed:begin -->"])
def test_a_file_without_marks_is_refused_and_stays_as_it_is(tmp_path, text):
    file = tmp_path / "README.md"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"README\.md has no <!-- speed:begin --> and <!-- speed:end -->"):
        text_files.replace_generated_part(file, "speed", "new")
    assert file.read_text() == text
