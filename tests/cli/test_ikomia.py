"""yolopv2 ikomia install."""

from pathlib import Path


def test_installing_says_what_it_did_and_where(cli, tmp_path: Path) -> None:
    for state in ("installed", "unchanged"):
        code, out, _ = cli("ikomia", "install", "--folder", tmp_path)
        assert code == 0
        assert out.splitlines() == [
            f"{name}: {state} in {tmp_path / name}" for name in ("infer_yolop_v2", "train_yolop_v2")
        ]
    (tmp_path / "infer_yolop_v2" / "__init__.py").write_text("# mine\n")
    code, _, err = cli("ikomia", "install", "--folder", tmp_path)
    assert code == 2
    assert "--force" in err
    assert cli("ikomia", "install", "--folder", tmp_path, "--force").code == 0
