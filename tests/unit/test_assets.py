"""Static files under names that carry their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.assets import Assets, files, hashed


def test_a_changed_file_gets_another_name(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "page.js"
    file.parent.mkdir()
    file.write_text("one")
    first = Assets.scan(tmp_path)
    file.write_text("two")
    second = Assets.scan(tmp_path)
    assert first.url("deep/page.js") != second.url("deep/page.js")
    assert second.plain(second.names["deep/page.js"]) == "deep/page.js"
    assert second.plain(first.names["deep/page.js"]) is None


def test_a_name_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Assets.scan(tmp_path).url("missing.js")


def test_hidden_files_are_not_served(tmp_path: Path) -> None:
    (tmp_path / ".secret").write_text("x")
    assert list(files(tmp_path)) == []


def test_the_hash_stands_before_the_ending() -> None:
    assert hashed("vendor/htmx.min.js", b"x").startswith("vendor/htmx.min.")
    assert hashed("vendor/htmx.min.js", b"x").endswith(".js")
