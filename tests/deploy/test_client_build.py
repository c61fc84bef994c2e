import pytest

from deploy import client_build


@pytest.mark.parametrize("version", ["20.19.0", "20.20.2", "22.12.0", "24.19.0", "26.0.0"])
def test_node_the_client_builds_with(version):
    assert client_build.is_new_enough(version)


@pytest.mark.parametrize("version", ["18.20.1", "20.18.9", "21.7.0", "22.11.0", "", "v20", "nonsense"])
def test_node_the_client_does_not_build_with(version):
    assert not client_build.is_new_enough(version)
