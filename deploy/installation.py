"""Bring an installation from whatever is there to ready-to-start; a step without new inputs does nothing."""

from deploy import (
    client_build,
    cluster_location,
    database,
    packages,
    passwords,
    python_environment,
    site,
)
from deploy.client_build import Node
from deploy.cluster import Cluster
from deploy.places import Places, live, make_var


def prepare_programs(*, tests: bool) -> Node:
    """System packages, the Python environment and the built client, for live use or for tests."""
    needs = packages.SERVER if site.has_private_cluster() else packages.WITHOUT_DATABASE
    packages.ensure((*needs, *packages.BROWSER) if tests else needs)
    python_environment.ensure(live(), tests=tests)
    return client_build.ensure(live())


def prepare_cluster(places: Places, *, disposable: bool = False) -> Cluster | None:
    """Make and start the private cluster and its database; None when DATABASE_URL names another."""
    secrets = passwords.ensure(places)
    if not site.has_private_cluster():
        return None
    cluster = cluster_location.locate(places, disposable=disposable)
    if cluster.create(secrets["superuser_password"]):
        site.forget_demo(places)
    cluster.start()
    database.prepare(cluster, secrets)
    return cluster


def prepare(places: Places, demo: str) -> Cluster | None:
    """Everything a start needs. Returns the running cluster.

    Parameters
    ----------
    places
        The installation.
    demo
        Size of the demonstration city that the first start loads.
    """
    make_var(places)
    prepare_programs(tests=False)
    cluster = prepare_cluster(places)
    try:
        site.migrate(places)
        site.load_demo(places, demo)
    except BaseException:
        if cluster is not None:
            cluster.stop()
        raise
    return cluster
