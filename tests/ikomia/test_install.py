"""Installing is whole, repeatable, and never takes away what somebody else put there."""

import os
import sys
from pathlib import Path

import pytest

from yolopv2.errors import YolopError
from yolopv2.ikomia.install import PLUGINS, install_plugins, plugin_names, plugins_folder

NAMES = ["infer_yolop_v2", "train_yolop_v2"]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_plugins_are_copied_whole_and_once(folder):
    assert plugin_names() == NAMES
    assert install_plugins(folder / "P") == dict.fromkeys(NAMES, "installed")
    for name in NAMES:
        assert files(folder / "P" / name).items() >= files(PLUGINS / name).items()
    before = {path: path.stat().st_mtime_ns for path in (folder / "P").rglob("*")}
    assert install_plugins(folder / "P") == dict.fromkeys(NAMES, "unchanged")
    assert {path: path.stat().st_mtime_ns for path in (folder / "P").rglob("*")} == before
    assert sorted(path.name for path in (folder / "P").iterdir()) == NAMES


def test_what_python_leaves_there_does_not_count(folder):
    install_plugins(folder)
    (folder / "infer_yolop_v2" / "__pycache__").mkdir(exist_ok=True)
    (folder / "infer_yolop_v2" / "__pycache__" / "a.pyc").write_bytes(b"0")
    assert install_plugins(folder)["infer_yolop_v2"] == "unchanged"


def test_an_older_version_of_ours_is_brought_up_to_date(folder, monkeypatch):
    older = folder / "older"
    for name in NAMES:
        (older / name).mkdir(parents=True)
        (older / name / "__init__.py").write_text("# older\n")
        (older / name / "gone.py").write_text("# no longer there\n")
    with monkeypatch.context() as patch:
        patch.setattr("yolopv2.ikomia.install.PLUGINS", older)
        install_plugins(folder / "P")
    assert install_plugins(folder / "P") == dict.fromkeys(NAMES, "updated")
    assert not (folder / "P" / "infer_yolop_v2" / "gone.py").exists()


@pytest.mark.parametrize("theirs", ["somebody else's", "ours, changed", "a file"])
def test_a_strangers_plugin_stays_unless_forced(folder, theirs):
    target = folder / "P" / "train_yolop_v2"
    if theirs == "ours, changed":
        install_plugins(folder / "P")
        (target / "train_yolop_v2_process.py").write_text("# mine\n")
    else:
        target.parent.mkdir()
        if theirs == "a file":
            target.write_text("mine")
        else:
            target.mkdir()
            (target / "__init__.py").write_text("# mine\n")
    before = files(folder / "P")
    with pytest.raises(YolopError, match="replace it with --force"):
        install_plugins(folder / "P")
    assert files(folder / "P") == before, "nothing is installed, not even the other one"
    assert install_plugins(folder / "P", force=True)["train_yolop_v2"] == "updated"
    assert install_plugins(folder / "P") == dict.fromkeys(NAMES, "unchanged")


def test_a_folder_that_cannot_be_made_is_named(folder):
    (folder / "file").write_text("")
    with pytest.raises(YolopError, match="file"):
        install_plugins(folder / "file" / "P")


def test_ikomia_is_asked_where_plugins_are(folder, monkeypatch):
    """By its configuration alone: importing it would make folders."""
    monkeypatch.setenv("HOME", str(folder))
    package = folder / "site" / "ikomia"
    (package / "core").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')\n")
    monkeypatch.syspath_prepend(str(folder / "site"))
    monkeypatch.delitem(sys.modules, "ikomia", raising=False)
    expected = {
        "root_folder:\nregistry:\n  path:\n": folder / "Ikomia" / "Plugins" / "Python",
        "root_folder: /there\n": Path("/there/Plugins/Python"),
        "registry:\n  path: /plugins/\n": Path("/plugins/Python"),
        "- nonsense": folder / "Ikomia" / "Plugins" / "Python",
        "{": folder / "Ikomia" / "Plugins" / "Python",
    }
    for text, place in expected.items():
        (package / "core" / "config.yaml").write_text(text)
        assert plugins_folder() == place, text


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be kept from its owner this way")
def test_a_failure_leaves_what_was_there(folder, monkeypatch):
    install_plugins(folder / "P")
    (folder / "P" / "infer_yolop_v2" / "README.md").unlink()
    before = files(folder / "P")
    replace = os.replace

    def failing(source, target):
        if str(target).endswith("infer_yolop_v2") and "README.md" in os.listdir(source):  # the new one, not the old
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(YolopError, match="No space left"):
        install_plugins(folder / "P", force=True)
    assert files(folder / "P") == before
    assert sorted(path.name for path in (folder / "P").iterdir()) == NAMES
