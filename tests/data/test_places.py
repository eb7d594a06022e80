"""Places that a user names and that are not ours to replace: devices, pipes, links, other files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from evernormal import storage
from evernormal.data import build_snapshot
from evernormal.errors import InputError, StorageError

WHEEL = Path("no-such.whl")


@pytest.mark.parametrize("kind", ["file", "pipe", "link to a file"])
def test_a_build_never_takes_the_place_of_what_is_no_folder(tmp_path: Path, kind: str) -> None:
    """Law 12: a device or a pipe that was named by mistake stays where it is."""
    place = tmp_path / "place"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "file":
        place.write_text("mine", "utf-8")
    else:
        (tmp_path / "other").write_text("mine", "utf-8")
        place.symlink_to(tmp_path / "other")
    before = place.lstat()
    with pytest.raises(InputError, match="there is a file here, not a folder"):
        build_snapshot(WHEEL, place)
    assert os.path.samestat(before, place.lstat())


def test_a_build_never_throws_away_other_files(tmp_path: Path) -> None:
    """Law 12: ``data build --out FOLDER`` replaces a snapshot, never somebody's documents."""
    (tmp_path / "thesis.docx").write_text("ten years", "utf-8")
    (tmp_path / "trade.parquet").mkdir()
    with pytest.raises(InputError, match=r"holds other things than a snapshot: thesis\.docx, trade\.parquet"):
        build_snapshot(WHEEL, tmp_path)
    assert (tmp_path / "thesis.docx").read_text("utf-8") == "ten years"


def test_the_last_step_looks_again(tmp_path: Path) -> None:
    """What appears at the place while a build runs is left as it is too."""
    target = tmp_path / "snapshot"
    with (
        pytest.raises(StorageError, match="left as it is"),
        storage.staged_folder(tmp_path, unchanged="nothing was changed") as staging,
    ):
        os.mkfifo(target)
        staging.move_to(target)
    assert stat.S_ISFIFO(target.lstat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


def test_leftovers_are_folders_only(tmp_path: Path) -> None:
    """A pipe with the name of a leftover is not opened: that would wait for ever."""
    os.mkfifo(tmp_path / ".evernormal-building-pipe")
    (tmp_path / ".evernormal-building-folder").mkdir()
    storage.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".evernormal-building-pipe"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a pipe"])
def test_files_are_never_put_over_what_is_no_file(tmp_path: Path, kind: str) -> None:
    """Law 12: all or nothing, so not even the files whose place is free are moved."""
    place = tmp_path / "b.txt"
    if kind == "folder":
        place.mkdir()
    else:
        pipe = tmp_path / "pipe" if kind.startswith("link") else place
        os.mkfifo(pipe)
        if pipe != place:
            place.symlink_to(pipe)
    before = place.lstat()

    def maker(name: str, folder: Path) -> Path:
        (folder / name).write_text("new", "utf-8")
        return folder / name

    with pytest.raises(StorageError, match=r"not a plain file.*left as it is"):
        storage.written(
            tmp_path, {name: lambda folder, name=name: maker(name, folder) for name in ("a.txt", "b.txt")}
        )
    assert os.path.samestat(before, place.lstat())
    assert not (tmp_path / "a.txt").exists()
