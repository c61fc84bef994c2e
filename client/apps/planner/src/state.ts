import {
  IDLE,
  type Geometry,
  type Language,
  type LayerChoices,
  type LayerInfo,
  type MapInfo,
  type Position,
  type Properties,
  type RequestState,
  type Session,
} from '@onemap/core';
import type { GeometryCrs, TileStatus, ViewState } from '@onemap/map';

/** A feature the person looks at, wherever it was found. */
export interface FoundFeature {
  layer: string;
  fid: number;
  properties: Properties;
  geometry: Geometry | null;
  geometryCrs: GeometryCrs;
}

export interface IdentifyState {
  request: RequestState;
  found: FoundFeature[];
  index: number;
  /** Where was asked; null when the feature came from the table or a link. */
  at: Position | null;
  /** The data of a layer in it has moved since. */
  stale: boolean;
}

export interface TableState {
  layer: string | null;
  request: RequestState;
  rows: FoundFeature[];
  matched: number | null;
  /** Links of the pages walked through; null is the first page. */
  trail: (string | null)[];
  next: string | null;
  stale: boolean;
}

export interface NetworkState {
  /** The browser has a network at all. */
  online: boolean;
  /** The last exchange got an answer. */
  reached: boolean;
  lastContact: number | null;
}

export type Notice = { key: string; parameters?: Record<string, string | number> } | null;

export interface PlannerState {
  language: Language;
  boot: RequestState;
  info: MapInfo | null;
  session: Session | null;
  /** A person was signed in and the server no longer knows the session. */
  expired: boolean;
  catalogue: RequestState;
  layers: LayerInfo[];
  choices: LayerChoices;
  tiles: Readonly<Record<string, TileStatus>>;
  view: ViewState | null;
  /** The changeset that the map is shown with. */
  changeset: number | null;
  network: NetworkState;
  identify: IdentifyState;
  table: TableState;
  /** A short message, also read out by screen readers. */
  notice: Notice;
}

export const NO_IDENTIFY: IdentifyState = { request: IDLE, found: [], index: 0, at: null, stale: false };
export const NO_TABLE: TableState = {
  layer: null,
  request: IDLE,
  rows: [],
  matched: null,
  trail: [null],
  next: null,
  stale: false,
};

export function initialState(language: Language, online: boolean, changeset: number | null): PlannerState {
  return {
    language,
    boot: { phase: 'pending', error: null },
    info: null,
    session: null,
    expired: false,
    catalogue: { phase: 'pending', error: null },
    layers: [],
    choices: {},
    tiles: {},
    view: null,
    changeset,
    network: { online, reached: true, lastContact: null },
    identify: NO_IDENTIFY,
    table: NO_TABLE,
    notice: null,
  };
}
