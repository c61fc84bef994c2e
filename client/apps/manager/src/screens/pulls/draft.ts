import type { Pull, PullFacts, PullKind } from '../../api/pulls';

export const KIND_WORDS: Record<PullKind, string> = { folder: 'pulls.folder', http: 'pulls.http', database: 'pulls.database' };
export const RHYTHMS: readonly { minutes: number; word: string }[] = [
  { minutes: 60, word: 'pulls.hourly' },
  { minutes: 1_440, word: 'pulls.daily' },
  { minutes: 10_080, word: 'pulls.weekly' },
  { minutes: 43_200, word: 'pulls.monthly' },
];

export interface PullDraft {
  name: string;
  kind: PullKind;
  address: string;
  department: string;
  /** JSON text of the delivery's profile. */
  document: string;
  encoding: string;
  source_crs: string;
  every_minutes: number;
  /** Percent. */
  most_changed: number;
  enabled: boolean;
  /** Answers that the form does not show. */
  kept: Record<string, unknown>;
}

const NEW: PullDraft = {
  name: '',
  kind: 'folder',
  address: '',
  department: '',
  document: '{\n  "version": 1,\n  "mode": "replace",\n  "parts": []\n}',
  encoding: '',
  source_crs: '',
  every_minutes: 1_440,
  most_changed: 20,
  enabled: true,
  kept: {},
};

/** What a form starts from. */
export function draftOf(pull: Pull | null, department: string): PullDraft {
  if (!pull) return { ...NEW, department, kept: {} };
  const { name, kind, address, every_minutes, enabled } = pull;
  const { encoding = '', source_crs = '', ...kept } = pull.answers as { encoding?: string; source_crs?: string };
  return {
    name,
    kind,
    address,
    every_minutes,
    enabled,
    department: pull.department,
    document: JSON.stringify(pull.document, null, 2),
    most_changed: Math.round(pull.most_changed * 100),
    encoding,
    source_crs,
    kept,
  };
}

/** The draft as it is sent; a document that is no JSON throws a SyntaxError. */
export function factsOf(draft: PullDraft): PullFacts {
  const { kept, encoding, source_crs, document, most_changed, ...facts } = draft;
  const answers = { ...kept, ...(encoding ? { encoding } : {}), ...(source_crs ? { source_crs } : {}) };
  return { ...facts, answers, document: JSON.parse(document) as Record<string, unknown>, most_changed: most_changed / 100 };
}

/** Fields that cannot be sent as they are. */
export function missingOf(draft: PullDraft): string[] {
  return (['name', 'address', 'department'] as const).filter((field) => !draft[field].trim());
}

export type RhythmText = { word: string; parameters?: { count: number } };

/** How often, in words. */
export function rhythmOf(minutes: number): RhythmText {
  const known = RHYTHMS.find((one) => one.minutes === minutes);
  if (known) return { word: known.word };
  return minutes % 60 === 0 ? { word: 'pulls.every-hours', parameters: { count: minutes / 60 } } : { word: 'pulls.every-minutes', parameters: { count: minutes } };
}
