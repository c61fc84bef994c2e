import subprocess
import sys

from deploy import site
from deploy.places import Places


def test_what_processes_compile_is_kept_below_var_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    installation = Places(tmp_path / "checkout", tmp_path / "checkout" / "var")
    work = tmp_path / "work"
    work.mkdir()
    (work / "surveyed.py").touch()
    command = [sys.executable, "-c", "import surveyed"]

    subprocess.run(command, cwd=work, env=site.environment(installation, "web"), check=True)

    assert [path.stem.partition(".")[0] for path in installation.bytecode.rglob("surveyed.*")] == ["surveyed"]
    assert [path.name for path in work.iterdir()] == ["surveyed.py"]
