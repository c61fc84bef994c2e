import TileGrid from 'ol/tilegrid/TileGrid';

import type { Box, GridInfo } from '@onemap/core';

/** Side of a raster tile of the grid, pixels; level and scale of the grid are defined with it. */
const RASTER_TILE_PX = 256;

/** A view may lie this far (as a factor of resolution) above a level and still be served by it. */
const HALF_A_LEVEL = Math.SQRT2;

/** Metres per pixel of a level when its tiles are drawn with `tilePx` pixels a side. */
export function levelResolution(grid: GridInfo, level: number, tilePx: number = grid.tile_px): number {
  return grid.size / tilePx / 2 ** level;
}

/** Scale denominator of a level as the standard counts it, with tiles of 256 px. */
export function levelScale(grid: GridInfo, level: number): number {
  return levelResolution(grid, level, RASTER_TILE_PX) / 0.00028;
}

/** Box of a tile, metres in the grid's CRS; rows count downwards from the origin. */
export function tileBox(grid: GridInfo, level: number, column: number, row: number): Box {
  const side = grid.size / 2 ** level;
  const [left, top] = [grid.origin[0] + column * side, grid.origin[1] - row * side];
  return [left, top - side, left + side, top];
}

export function createTileGrid(grid: GridInfo, firstLevel = 0): TileGrid {
  const levels = Array.from({ length: grid.levels }, (_, level) => levelResolution(grid, level));
  return new TileGrid({
    extent: tileBox(grid, 0, 0, 0),
    minZoom: firstLevel,
    origin: grid.origin,
    resolutions: levels,
    tileSize: grid.tile_px,
  });
}

/** Which of two neighbouring levels serves a resolution between them, by ratio: positive chooses the coarser. */
export function nearerLevel(resolution: number, coarser: number, finer: number): number {
  return resolution - Math.sqrt(coarser * finer);
}

/** Coarsest resolution at which a layer has tiles; undefined when all levels have. */
export function coarsestResolution(grid: GridInfo, firstLevel: number | null | undefined): number | undefined {
  if (!firstLevel) return undefined;
  return levelResolution(grid, firstLevel) * HALF_A_LEVEL;
}
