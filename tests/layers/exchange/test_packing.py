"""Layers leave as a package and come back as a delivery, in this city or another."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.actions import ensure_department
from layers import catalogue
from layers.actions import delete_layer, purge_deleted
from layers.catalogue import LayerNotFound
from layers.exchange import packing
from layers.exchange.deliveries.profile import judge_document
from layers.models import CodeList, CodeValue, Delivery, Field, Layer, TrustedKey
from layers.packages import verify_package
from layers.packages.reading import UnknownSigner
from process.execution import run_next
from process.models import AuditRecord, Job
from tests import layermaking, people

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]
NAME = "packed_ground"


@pytest.fixture
def layer(kept, db, settings, tmp_path):
    settings.ONEMAP_VAR = tmp_path / "var"
    people.offices()
    made = layermaking.make_layer(
        NAME, layermaking.ground(NAME), title="打包地块", label_field="name", key="name"
    )
    listed = CodeList.objects.create(code="pack-codes", edition="2026", title_zh="测试", title_en="Test")
    for amount in range(10, 70, 10):
        CodeValue.objects.create(code_list=listed, code=str(amount), title_zh=f"第{amount}类")
    Field.objects.filter(layer=made, name="amount").update(alias_zh="数量", code_list=listed, unit="个")
    Layer.objects.filter(pk=made.pk).update(
        update_days=365,
        checks={"unique": ["name"], "matches": {"part": "part:QSB", "field": "a", "other_field": "b"}},
    )
    catalogue._current = None
    return made


@pytest.fixture
def package(layer, tmp_path):
    return packing.write_layers([NAME], tmp_path / "ground.zip", name="地块 2026", actor="tests")


def run(job, told):
    """Do a job as `run_or_wait` would where no worker is."""
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(days=1))
    run_next(job.pk)
    catalogue._current = None


@pytest.fixture
def worked(monkeypatch):
    """Jobs are done here, within the test's transaction."""
    monkeypatch.setattr("layers.exchange.deliveries.flow.run_or_wait", run)


def told(capsys, *words):
    """What a command says; its exit is that of its status."""
    call_command(*words, "--json")
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_package_of_layers_needs_nothing_else(layer, package, tmp_path):
    found = verify_package(package).manifest
    judge_document(found.document)
    (part,) = found.document["parts"]
    assert (part["layer"], part["key"], part["title_zh"], part["update_days"]) == (
        NAME,
        "name",
        "打包地块",
        365,
    )
    assert part["fields"]["amount"] == {"alias_zh": "数量", "unit": "个", "code_list": "pack-codes@2026"}
    assert part["checks"] == {"unique": ["name"]}
    assert [one["code"] for one in found.code_lists] == ["pack-codes"]
    assert [one.path for one in found.files] == [f"{NAME}.gpkg"]
    assert str(tmp_path) not in found.canonical().decode()
    assert AuditRecord.objects.filter(action="package.write", object_name=NAME).count() == 1


def test_an_unknown_layer_makes_no_package(layer, tmp_path):
    with pytest.raises(LayerNotFound):
        packing.write_layers([NAME, "never_made"], tmp_path / "x.zip", name="x", actor="tests")
    with pytest.raises(packing.NoLayers):
        packing.write_layers([], tmp_path / "x.zip", name="x", actor="tests")
    assert not (tmp_path / "x.zip").exists()


def test_applying_what_is_here_changes_nothing(layer, package, worked):
    report = packing.apply_package(package, actor="tests")
    assert report["status"] == "done", report
    assert [(part["unchanged"], part["inserted"]) for part in report["parts"]] == [(6, 0)]
    assert report["code_lists_added"] == []


def test_a_package_is_taken_by_another_city(layer, package, worked):
    """Another city has neither the layer nor its code list, and other departments."""
    delete_layer(layer, by="tests")
    Layer.objects.update(deleted_at=timezone.now() - timedelta(days=99))
    purge_deleted()
    CodeList.objects.all().delete()
    ensure_department("bureau", "自然资源局", "Bureau")
    catalogue._current = None
    report = packing.apply_package(package, actor="tests", department="bureau")
    assert report["status"] == "done", report
    taken = Layer.objects.get(name=NAME)
    assert (taken.feature_count, taken.department.code, taken.key_field) == (6, "bureau", "name")
    amount = taken.fields.get(name="amount")
    assert (amount.alias_zh, amount.unit, str(amount.code_list.code)) == ("数量", "个", "pack-codes")
    assert report["code_lists_added"] == ["pack-codes@2026"]


def test_a_dry_run_leaves_nothing(layer, package, worked):
    report = packing.apply_package(package, actor="tests", dry_run=True)
    assert report["dry_run"]
    assert Delivery.objects.get().state == Delivery.State.WITHDRAWN
    assert Layer.objects.get(pk=layer.pk).revision == layer.revision


def test_a_stranger_is_refused_before_anything_is_unpacked(layer, package):
    TrustedKey.objects.all().delete()
    with pytest.raises(UnknownSigner):
        packing.apply_package(package, actor="tests")
    assert not Delivery.objects.exists()


def test_the_commands_write_and_verify(layer, tmp_path, capsys):
    path = tmp_path / "out.zip"
    written = told(capsys, "package_write", "--layers", NAME, "--to", str(path), "--name", "地块")
    assert (written["status"], written["layers"], written["files"]) == ("done", [NAME], 1)
    verified = told(capsys, "package_verify", str(path))
    assert (verified["trusted"], verified["fingerprint"]) == (True, written["fingerprint"])


def test_the_package_of_a_delivery_is_copied(layer, package, worked, tmp_path, capsys):
    report = packing.apply_package(package, actor="tests")
    path = tmp_path / "copy.zip"
    assert told(capsys, "package_write", str(report["delivery"]), "--to", str(path))["layers"] == [NAME]
    Delivery.objects.update(package="")
    with pytest.raises(packing.NoPackageOfDelivery):
        packing.copy_package(report["delivery"], tmp_path / "none.zip", actor="tests")
