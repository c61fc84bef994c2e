/* Made by `npm run types`. */

/**
 * A style as rules: what the map page, the legend and other programs draw from.
 *
 * `field` is the one field whose values the classes stand for, where there is one.
 */
export interface DrawnStyle {
  field: string | null;
  rules: Rule[];
  labels: Labels;
}
/**
 * Which features are drawn with which symbols, between which scales.
 *
 * `otherwise` is for features that fulfil no other rule's condition.
 */
export interface Rule {
  title_zh: string;
  title_en: string;
  where: unknown[] | null;
  otherwise: boolean;
  min_scale: number | null;
  max_scale: number | null;
  /**
   * @maxItems 8
   */
  symbols: (Fill | Hatch | Line | Marker)[];
}
/**
 * The inside of a polygon in one colour.
 */
export interface Fill {
  type: 'fill';
  color: string;
}
/**
 * The inside of a polygon in a pattern on whatever lies below.
 */
export interface Hatch {
  type: 'hatch';
  pattern: 'diagonal' | 'back_diagonal' | 'horizontal' | 'vertical' | 'cross' | 'diagonal_cross' | 'dots';
  color: string;
  spacing: number;
  width: number;
}
/**
 * A line, or the outline of a polygon; a casing lies below it and below the lines it crosses.
 */
export interface Line {
  type: 'line';
  color: string;
  width: number;
  /**
   * @maxItems 8
   */
  dash: number[];
  cap: 'butt' | 'round' | 'square';
  join: 'miter' | 'round' | 'bevel';
  casing: string | null;
  casing_width: number;
}
/**
 * A point symbol out of the library.
 */
export interface Marker {
  type: 'marker';
  shape: 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'star';
  size: number;
  fill: string;
  stroke: string;
  stroke_width: number;
}
/**
 * The text beside, along or inside features: of the layer's label field if none is named.
 */
export interface Labels {
  field: string | null;
  color: string;
  size: number;
  halo: string;
  halo_width: number;
  placement: ('point' | 'line' | 'interior') | null;
  min_scale: number | null;
  max_scale: number | null;
}
