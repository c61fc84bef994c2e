import type { DrawnStyle, Labels, LayerInfo, Line, Rule } from '../../core/src/api/types';

/** A look in short: the style of a layer whose classes differ by colour alone. */
export interface Look {
  fill?: string;
  stroke: string;
  width?: number;
  radius?: number;
  field?: string;
  classes?: { code: string; color: string; zh: string; en: string }[];
}

export const LABELS: Labels = {
  field: null, color: '#1c2733', size: 12, halo: '#ffffff', halo_width: 2, placement: null, min_scale: null, max_scale: null,
};

function symbolsOf(geometry: LayerInfo['geometry'], { fill = '#e3e8ee', stroke, width = 1, radius = 4 }: Look): Rule['symbols'] {
  const line: Line = { type: 'line', color: stroke, width, dash: [], cap: 'butt', join: 'round', casing: null, casing_width: 1 };
  if (geometry === 'line') return [line];
  if (geometry === 'point') return [{ type: 'marker', shape: 'circle', size: 2 * radius, fill, stroke, stroke_width: width }];
  return [{ type: 'fill', color: fill }, line];
}

export function rule(symbols: Rule['symbols'], told: Partial<Rule> = {}): Rule {
  return { title_zh: '', title_en: '', where: null, otherwise: false, min_scale: null, max_scale: null, symbols, ...told };
}

/** The look as the server tells it: rules. */
export function drawn(geometry: LayerInfo['geometry'], look: Look): DrawnStyle {
  const { field, classes = [] } = look;
  const rules = classes.map(({ code, color, zh, en }) => {
    const symbols = symbolsOf(geometry, geometry === 'line' ? { ...look, stroke: color } : { ...look, fill: color });
    return rule(symbols, { title_zh: zh, title_en: en, where: ['==', field, code] });
  });
  const rest = rule(symbolsOf(geometry, look), { otherwise: classes.length > 0 });
  return { field: field ?? null, rules: [...rules, rest], labels: LABELS };
}
