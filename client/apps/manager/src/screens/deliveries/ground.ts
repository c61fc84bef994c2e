import type { LayerInfo, MapInfo } from '@onemap/core';

import type { Desk } from '../../desk';

let info: Promise<MapInfo> | null = null;
let layers: Promise<LayerInfo[]> | null = null;

/** The city's grid and coordinate systems, asked for once. */
export function mapInfo(desk: Desk): Promise<MapInfo> {
  info ??= desk.api.map().catch((cause: unknown) => {
    info = null;
    throw cause;
  });
  return info;
}

/** The layers that the map shows when it is opened: ground to see places on. */
export function publicLayers(desk: Desk): Promise<LayerInfo[]> {
  layers ??= desk.api.layers(null).then(
    ({ body }) => (body?.layers ?? []).filter(({ visible }) => visible),
    () => {
      layers = null;
      return [];
    },
  );
  return layers;
}
