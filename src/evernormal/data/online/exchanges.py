"""Answers that have come, kept one by one until all have: a fetch that was stopped goes on where it was.

An answer counts when its file stands under its final name.  A file that was cut off or changed is no answer,
and its question is asked again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from evernormal.storage import storage_error, sync

__all__ = ["Exchanges"]


class Exchanges:
    """The answers of one fetch, a file each.

    Args:
        folder: where they stand; made when the first answer comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, key: str) -> dict[str, Any] | None:
        """Return the answer to a question, or None when it has not come or was damaged."""
        try:
            sealed = json.loads((self.folder / f"{key}.json").read_text("utf-8"))
            answer: dict[str, Any] = sealed["answer"]
            return answer if sealed["sha256"] == _digest(answer) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, key: str, answer: dict[str, Any]) -> None:
        """Keep an answer: after this it survives a crash.

        Raises:
            StorageError: disk full or no permission; the answers that came before are kept.
        """
        path = self.folder / f"{key}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".part")
            text = json.dumps({"sha256": _digest(answer), "answer": answer}, ensure_ascii=False)
            draft.write_text(text, "utf-8")
            sync(draft)
            draft.replace(path)
            sync(self.folder)
        except OSError as error:
            raise storage_error(error, "what had come before is kept") from error

    def clear(self) -> None:
        """Forget every answer."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _digest(answer: dict[str, Any]) -> str:
    text = json.dumps(answer, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
