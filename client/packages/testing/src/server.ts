import type { IncomingMessage, ServerResponse } from 'node:http';

import proj4 from 'proj4';

import type { Box, Geometry, Position } from '../../core/src/api/types';
import { catalogue, FEATURES, MAP_INFO, type CityFeature } from './city';
import { encodeTile } from './mvt';

const PASSWORD = 'onemap-demo';
const LONLAT = '+proj=longlat +ellps=GRS80 +no_defs';

interface FakeState {
  revision: number;
}

interface Exchange {
  url: URL;
  request: IncomingMessage;
  response: ServerResponse;
  user: string | null;
  state: FakeState;
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-cache', ...headers });
  response.end(body === null ? undefined : JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  send(response, status, { type: 'about:blank', title: code, status, code, detail, facts: {}, request_id: '0'.repeat(32) });
}

function session(user: string | null): object {
  const department = { code: 'planning', name_zh: '规划国土', name_en: 'Planning and Land' };
  return {
    user: user ? { username: user } : null,
    display_name: user ? '林规划' : '',
    department: user ? department : null,
    roles: user ? ['planner'] : [],
    clearance: user ? 'internal' : 'public',
    csrf_token: `csrf-${user ?? 'public'}`,
  };
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
}

async function login({ request, response }: Exchange): Promise<void> {
  const { username, password } = await readJson(request);
  if (password !== PASSWORD) return refuse(response, 401, 'login-failed', '用户名或密码不正确');
  const user = String(username);
  send(response, 200, session(user), { 'Set-Cookie': `sessionid=${encodeURIComponent(user)}; Path=/; HttpOnly; SameSite=Lax` });
}

function logout({ response }: Exchange): void {
  send(response, 200, session(null), { 'Set-Cookie': 'sessionid=; Path=/; Max-Age=0' });
}

function layers({ request, response, user, state }: Exchange): void {
  const etag = `"${user ?? 'public'}-${state.revision}"`;
  if (request.headers['if-none-match'] === etag) return send(response, 304, null, { ETag: etag });
  send(response, 200, { layers: catalogue(user !== null, state.revision) }, { ETag: etag });
}

function touches(feature: CityFeature, box: Box): boolean {
  const own = feature.box;
  return own[0] <= box[2] && own[2] >= box[0] && own[1] <= box[3] && own[3] >= box[1];
}

/** Distance from a point to a feature's box, metres; exact for the rectangles and straight lines of this city. */
function distance(feature: CityFeature, [x, y]: Position): number {
  const [x0, y0, x1, y1] = feature.box;
  return Math.hypot(Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1));
}

function identify({ url, response, user, state }: Exchange): void {
  const query = url.searchParams;
  const at: Position = [Number(query.get('x')), Number(query.get('y'))];
  const tolerance = Number(query.get('tolerance'));
  const asked = new Set((query.get('layers') ?? '').split(','));
  const known = catalogue(user !== null, state.revision).filter((layer) => asked.has(layer.name));
  known.sort((a, b) => b.order - a.order);
  const hits = known.flatMap((layer) =>
    (FEATURES[layer.name] ?? [])
      .filter((feature) => distance(feature, at) <= tolerance)
      .map(({ fid, properties, geometry }) => ({ layer: layer.name, fid, version: 1, properties, geometry, distance: 0 })),
  );
  send(response, 200, { hits });
}

function toLonLat(value: unknown): unknown {
  const list = value as unknown[];
  if (typeof list[0] === 'number') return proj4(MAP_INFO.crs[0]!.proj4, LONLAT, [list[0], list[1] as number]);
  return list.map(toLonLat);
}

function geojson({ fid, properties, geometry }: CityFeature): object {
  const lonlat: Geometry = { type: geometry.type, coordinates: toLonLat(geometry.coordinates) };
  return { type: 'Feature', id: fid, properties, geometry: lonlat };
}

/** The box asked for: the grid's CRS names north first. */
function askedBox(url: URL): Box {
  const [ymin, xmin, ymax, xmax] = (url.searchParams.get('bbox') ?? '').split(',').map(Number) as Box;
  return [xmin, ymin, xmax, ymax];
}

function items({ url, response }: Exchange, name: string): void {
  const limit = Number(url.searchParams.get('limit') ?? 100);
  const offset = Number(url.searchParams.get('after') ?? 0);
  const found = (FEATURES[name] ?? []).filter((feature) => touches(feature, askedBox(url)));
  const page = found.slice(offset, offset + limit);
  const links = [];
  if (offset + limit < found.length) {
    const next = new URL(url);
    next.searchParams.set('after', String(offset + limit));
    links.push({ rel: 'next', href: next.href, type: 'application/geo+json' });
  }
  const features = page.map(geojson);
  send(response, 200, { type: 'FeatureCollection', features, numberReturned: page.length, numberMatched: found.length, links });
}

function collections(exchange: Exchange): void {
  const [, , , name = '', , fid] = exchange.url.pathname.split('/');
  const layer = catalogue(exchange.user !== null, 1).find((known) => known.name === name);
  if (!layer) return refuse(exchange.response, 404, 'not-found', '没有这个图层');
  if (fid === undefined) return items(exchange, name);
  const feature = FEATURES[name]?.find((known) => known.fid === Number(fid));
  if (!feature) return refuse(exchange.response, 404, 'not-found', '没有这个要素');
  send(exchange.response, 200, geojson(feature));
}

/** Features of a layer that touch a box grown by a margin, metres. */
function touching(name: string, box: Box, margin: number): CityFeature[] {
  const wide: Box = [box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin];
  return (FEATURES[name] ?? []).filter((feature) => touches(feature, wide));
}

const TILE_PATH = /^\/tiles\/(?<name>\w+)\/CityGrid\/(?<z>\d+)\/(?<x>\d+)\/(?<y>\d+)\.mvt$/;

function tile({ url, response, user, state }: Exchange): void {
  const parts = TILE_PATH.exec(url.pathname)?.groups ?? {};
  const [z, x, y] = [Number(parts.z), Number(parts.x), Number(parts.y)];
  const layer = catalogue(user !== null, state.revision).find((known) => known.name === parts.name);
  if (!layer) return refuse(response, 404, 'not-found', '没有这个图层');
  if (z < (layer.first_level.CityGrid ?? 0)) {
    response.writeHead(204).end();
    return;
  }
  const side = MAP_INFO.grid.size / 2 ** z;
  const [left, top] = [MAP_INFO.grid.origin[0] + x * side, MAP_INFO.grid.origin[1] - y * side];
  const box: Box = [left, top - side, left + side, top];
  const body = encodeTile(layer.name, touching(layer.name, box, (side * 64) / 4096), layer.label_field, box);
  response.writeHead(200, { 'Content-Type': 'application/vnd.mapbox-vector-tile', 'Cache-Control': 'private, max-age=3600' });
  response.end(body);
}

const ROUTES: [RegExp, (exchange: Exchange) => void | Promise<void>][] = [
  [/^\/api\/session$/, ({ response, user }) => send(response, 200, session(user))],
  [/^\/api\/login$/, login],
  [/^\/api\/logout$/, logout],
  [/^\/api\/map$/, ({ response }) => send(response, 200, MAP_INFO)],
  [/^\/api\/layers$/, layers],
  [/^\/api\/identify$/, identify],
  [/^\/ogc\/collections\//, collections],
  [/^\/tiles\//, tile],
  [
    /^\/fake\/publish$/,
    ({ response, state }) => {
      state.revision += 1;
      send(response, 200, { revision: state.revision });
    },
  ],
];

/** A stand-in for the server's API over the small city; returns false for paths that are not the API's. */
export function createFakeServer(): (request: IncomingMessage, response: ServerResponse) => boolean {
  const state: FakeState = { revision: 1 };
  return (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
    const route = ROUTES.find(([path]) => path.test(url.pathname));
    if (!route) return false;
    const cookie = /(?:^|;\s*)sessionid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
    const user = cookie ? decodeURIComponent(cookie) : null;
    void Promise.resolve(route[1]({ url, request, response, user, state })).catch(() => {
      if (!response.headersSent) refuse(response, 400, 'bad-request', '请求无法读取');
    });
    return true;
  };
}
