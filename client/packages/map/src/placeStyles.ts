import type { StyleFunction } from 'ol/style/Style';
import CircleStyle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import RegularShape from 'ol/style/RegularShape';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';

/** What a place stands for; each has its own form as well as its own colour. */
export type PlaceKind = 'block' | 'warn' | 'note' | 'insert' | 'update' | 'remove' | 'conflict' | 'before' | 'ours' | 'theirs' | 'guess';
export type Emphasis = 'plain' | 'focused' | 'dimmed';

interface Look {
  colour: string;
  dash?: number[];
  /** Filled with slanting lines: what goes. */
  hatched?: boolean;
  /** Corners of the mark of a point; 0 is a disc. */
  corners: number;
}

const LOOKS: Record<PlaceKind, Look> = {
  block: { colour: '#B3261E', corners: 4 },
  warn: { colour: '#8F5600', corners: 3 },
  note: { colour: '#1F5FA8', corners: 0 },
  insert: { colour: '#2B7A4B', corners: 0 },
  update: { colour: '#1F5FA8', corners: 0 },
  remove: { colour: '#B3261E', dash: [6, 4], hatched: true, corners: 4 },
  conflict: { colour: '#8F5600', corners: 3 },
  before: { colour: '#4A5868', dash: [6, 4], corners: 0 },
  ours: { colour: '#1F5FA8', corners: 0 },
  theirs: { colour: '#8F5600', dash: [12, 4, 2, 4], corners: 3 },
  guess: { colour: '#1F5FA8', corners: 0 },
};
/** Sides that are looked at together keep their own looks: cyan would make them one. */
const COMPARED: ReadonlySet<PlaceKind> = new Set(['before', 'ours', 'theirs']);
const HATCH_PX = 8;
const CASING = '#0B2B3A';
const SELECTION = '#00A6C8';
const HALO = 'rgba(255,255,255,0.9)';

function mark(look: Look, focused: boolean): CircleStyle | RegularShape {
  const radius = focused ? 9 : 6;
  const fill = new Fill({ color: focused ? SELECTION : look.colour });
  const stroke = new Stroke({ color: focused ? CASING : '#FFFFFF', width: focused ? 2.5 : 1.5 });
  return look.corners === 0
    ? new CircleStyle({ radius, fill, stroke })
    : new RegularShape({ points: look.corners, radius: radius * 1.3, fill, stroke, angle: 0 });
}

/** Lines at 45° that meet their neighbours' at the edges of the tile. */
function hatch(colour: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = HATCH_PX;
  const pen = tile.getContext('2d');
  if (!pen) return `${colour}22`;
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.6;
  pen.beginPath();
  for (const start of [-HATCH_PX, 0, HATCH_PX]) {
    pen.moveTo(start, HATCH_PX);
    pen.lineTo(start + HATCH_PX, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, 'repeat') ?? `${colour}22`;
}

interface Pen {
  colour: string;
  width: number;
  casing: string;
  z: number;
}

const PEN: Pen = { colour: SELECTION, width: 3, casing: CASING, z: 2 };

function stylesOf(look: Look, focused: boolean): Style[] {
  const { colour, width, casing, z } = focused ? PEN : { colour: look.colour, width: 2, casing: HALO, z: 0 };
  const dash = look.dash ? { lineDash: look.dash } : {};
  return [
    new Style({ stroke: new Stroke({ color: casing, width: width * 2 }), zIndex: z }),
    new Style({
      stroke: new Stroke({ color: colour, width, ...dash }),
      fill: new Fill({ color: look.hatched ? hatch(look.colour) : `${colour}22` }),
      image: mark(look, focused),
      zIndex: z + 1,
    }),
  ];
}

/** The look of places: cyan in a dark casing for the one that is looked at. */
export function placeStyle(emphasisOf: (id: string) => Emphasis): StyleFunction {
  const made = new Map<string, Style[]>();
  return (feature) => {
    const kind = feature.get('kind') as PlaceKind;
    const emphasis = emphasisOf(String(feature.get('place')));
    const focused = emphasis === 'focused' && !COMPARED.has(kind);
    const key = `${kind} ${focused}`;
    const found = made.get(key) ?? stylesOf(LOOKS[kind], focused);
    made.set(key, found);
    return emphasis === 'dimmed' && !COMPARED.has(kind) ? stylesOf(LOOKS[kind], false) : found;
  };
}
