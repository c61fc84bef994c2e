import { asArray } from 'ol/color';
import type { ColorLike } from 'ol/colorlike';
import Point from 'ol/geom/Point';
import type RenderFeature from 'ol/render/Feature';
import CircleStyle from 'ol/style/Circle';
import OlFill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';

import type { GeometryKind, Hatch, Line, Marker, Rule } from '@onemap/core';

type AnySymbol = Rule['symbols'][number];

/** Casings lie below every symbol of the layer, so that lines which meet run into each other. */
const CASING_Z = -1;

/** What a rule draws, lowest first: made once per rule. */
export function stylesOf(rule: Rule, geometry: GeometryKind): Style[] {
  const lines = rule.symbols.filter((one) => one.type === 'line');
  const casings = lines.filter(({ casing }) => casing !== null).map((one) => casingOf(one));
  return [...casings, ...rule.symbols.map((one) => styleOf(one, geometry))];
}

/** Many small polygons in one shape have no outline; from afar they look like half of fill and outline. */
export function mergedStylesOf(rule: Rule, geometry: GeometryKind): Style[] {
  const fill = rule.symbols.find((one) => one.type === 'fill');
  if (geometry !== 'polygon' || !fill) return stylesOf(rule, geometry);
  const line = rule.symbols.find((one) => one.type === 'line');
  const [inside, outline] = [asArray(fill.color), asArray(line?.color ?? fill.color)];
  const mixed = inside.map((part, index) => (part + (outline[index] ?? part)) / 2);
  // Outlines weigh little where the fill is solid, and are all there is where it is not.
  return [new Style({ fill: new OlFill({ color: (inside[3] ?? 1) > 0.6 ? fill.color : mixed }) })];
}

function styleOf(one: AnySymbol, geometry: GeometryKind): Style {
  if (one.type === 'fill') return new Style({ fill: new OlFill({ color: one.color }) });
  if (one.type === 'hatch') return new Style({ fill: new OlFill({ color: hatchOf(one) }) });
  if (one.type === 'line') return new Style({ stroke: strokeOf(one) });
  // Another thing than a point is marked in its middle.
  return new Style({ image: markOf(one), ...(geometry === 'polygon' ? { geometry: middleOf } : {}) });
}

function strokeOf({ color, width, dash, cap, join }: Line): Stroke {
  return new Stroke({ color, width, lineCap: cap, lineJoin: join, ...(dash.length > 0 ? { lineDash: dash } : {}) });
}

function casingOf({ casing, casing_width, width, cap, join }: Line): Style {
  const stroke = new Stroke({ color: casing!, width: width + 2 * casing_width, lineCap: cap, lineJoin: join });
  return new Style({ stroke, zIndex: CASING_Z });
}

const CORNERS: Record<Exclude<Marker['shape'], 'circle'>, { points: number; reach: number; inner?: number; angle?: number }> = {
  square: { points: 4, reach: Math.SQRT1_2, angle: Math.PI / 4 },
  triangle: { points: 3, reach: 1 / Math.sqrt(3) },
  diamond: { points: 4, reach: 0.5 },
  cross: { points: 4, reach: 0.5, inner: 0.2 },
  star: { points: 5, reach: 0.5, inner: 0.22 },
};

function markOf({ shape, size, fill, stroke, stroke_width }: Marker): CircleStyle | RegularShape {
  const inks = {
    fill: new OlFill({ color: fill }),
    ...(stroke_width > 0 ? { stroke: new Stroke({ color: stroke, width: stroke_width }) } : {}),
    // A point is data and always drawn; only labels make room for each other.
    declutterMode: 'none' as const,
  };
  if (shape === 'circle') return new CircleStyle({ radius: size / 2, ...inks });
  const { points, reach, inner, angle = 0 } = CORNERS[shape];
  return new RegularShape({ points, radius: size * reach, angle, ...(inner ? { radius2: size * inner } : {}), ...inks });
}

/** Features of tiles know a point inside them. */
function middleOf(feature: unknown): Point {
  return new Point((feature as RenderFeature).getFlatInteriorPoint().slice(0, 2));
}

/** One tile of a hatch, which joins with itself on every side. */
function hatchOf(one: Hatch): ColorLike | string {
  const side = Math.round(one.pattern.includes('diagonal') ? one.spacing * Math.SQRT2 : one.spacing);
  const tile = document.createElement('canvas');
  tile.width = tile.height = side;
  const pen = tile.getContext('2d');
  if (!pen) return one.color;
  pen.strokeStyle = pen.fillStyle = one.color;
  pen.lineWidth = one.width;
  pen.beginPath();
  if (one.pattern === 'dots') pen.arc(side / 2, side / 2, one.width, 0, 2 * Math.PI);
  for (const [a, b, c, d] of strokesOf(one.pattern, side)) {
    pen.moveTo(a, b);
    pen.lineTo(c, d);
  }
  if (one.pattern === 'dots') pen.fill();
  else pen.stroke();
  return pen.createPattern(tile, 'repeat') ?? one.color;
}

type Ends = [number, number, number, number];

/** Ends of the strokes of a hatch; those of diagonals reach beyond the corners, where their neighbours go on. */
function strokesOf(pattern: Hatch['pattern'], side: number): Ends[] {
  const [half, out] = [side / 2, side / 4];
  const shifts = [-side, 0, side];
  const rising = shifts.map((by): Ends => [-out + by, side + out + by, side + out + by, -out + by]);
  const falling = shifts.map((by): Ends => [-out + by, -out - by, side + out + by, side + out - by]);
  const [flat, upright]: Ends[][] = [[[0, half, side, half]], [[half, 0, half, side]]];
  const known: Record<Hatch['pattern'], Ends[]> = {
    diagonal: rising,
    back_diagonal: falling,
    diagonal_cross: [...rising, ...falling],
    horizontal: flat!,
    vertical: upright!,
    cross: [...flat!, ...upright!],
    dots: [],
  };
  return known[pattern];
}
