export { CityMap, type MapHandlers, type StartView, type ViewState } from './cityMap';
export { detailAt, firstResolution, type Detail } from './reconciler';
export { classOf, legendOf, type Swatch } from './legend';
export { NO_TILES, tileMark, type TileMark, type TileStatus } from './tileLoading';
export type { GeometryCrs } from './selection';
export { boxPolygon } from './crs';
export { PlaceMap, type Place } from './placeMap';
export type { PlaceKind } from './placeStyles';
