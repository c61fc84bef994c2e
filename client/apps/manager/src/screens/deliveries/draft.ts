import type { LayerPart } from '../../api/types';

export interface DraftDelivery {
  name: string;
  department: string;
  /** Code of a profile; empty for one layer with a form of its own. */
  profile: string;
  layer: LayerPart;
}

/** A field that cannot stay as it is, and the key of the reason. */
export interface Fault {
  field: string;
  why: string;
}

const LAYER_NAME = /^[a-z][a-z0-9_]{0,47}$/;

export function emptyLayer(): LayerPart {
  return {
    source: '',
    layer: '',
    title_zh: '',
    title_en: '',
    theme: 'base',
    secrecy: 'internal',
    mode: 'create',
    key: '',
    valid_time: false,
  };
}

/** What to call a delivery of these files: its folder, or its first file without suffix. */
export function nameOf(names: readonly string[]): string {
  const first = names[0] ?? '';
  const folder = first.includes('/') ? first.split('/')[0]! : '';
  return folder || first.replace(/\.[^.]+$/, '');
}

function layerFaults(layer: LayerPart, sources: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  if (!LAYER_NAME.test(layer.layer)) faults.push({ field: 'layer', why: 'form.layer-name' });
  if (!layer.title_zh.trim()) faults.push({ field: 'title_zh', why: 'form.needed' });
  if (layer.mode === 'upsert' && !layer.key) faults.push({ field: 'key', why: 'form.key-for-upsert' });
  if (sources.length && !layer.source) faults.push({ field: 'source', why: 'form.needed' });
  return faults;
}

/** Everything that keeps a draft from being sent, field by field. */
export function faultsOf(draft: DraftDelivery, sources: readonly string[], files: number): Fault[] {
  const faults: Fault[] = [];
  if (!files) faults.push({ field: 'files', why: 'upload.none' });
  if (!draft.name.trim()) faults.push({ field: 'name', why: 'form.needed' });
  if (!draft.department) faults.push({ field: 'department', why: 'form.needed' });
  return draft.profile ? faults : [...faults, ...layerFaults(draft.layer, sources)];
}

/** The reason for one field, as a key; empty when it is well. */
export function faultOf(faults: readonly Fault[], field: string): string {
  return faults.find((fault) => fault.field === field)?.why ?? '';
}
