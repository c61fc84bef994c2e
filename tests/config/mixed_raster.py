"""The mixed calls with rasterio among them, as a job of a worker."""

import rasterio.warp

from process import jobs
from tests.config import mixed_calls


def by_rasterio(folder):
    xs, ys = rasterio.warp.transform(
        "EPSG:4490", "EPSG:4547", [mixed_calls.DEGREES[0]], [mixed_calls.DEGREES[1]]
    )
    mixed_calls.near((xs[0], ys[0]))


def mixed_calls_job(context):
    context.finish(mixed_calls.report(by_rasterio))


jobs.register("mixed_calls", mixed_calls_job)
