import type { Answers, Delivery, Question } from '../../api/types';

/** What kind of answer a question wants; `none` is one that only another file or the operator can answer. */
export type AnswerKind = 'encoding' | 'crs' | 'date' | 'accept' | 'conflicts' | 'repair' | 'none';

const KINDS: [RegExp, AnswerKind][] = [
  [/^--encoding\b/, 'encoding'],
  [/^--source-crs\b/, 'crs'],
  [/^--valid-from\b/, 'date'],
  [/^--accept\b/, 'accept'],
  [/^--conflicts\b/, 'conflicts'],
  [/^--repair\b/, 'repair'],
];

export function kindOf(question: Question): AnswerKind {
  return KINDS.find(([begins]) => begins.test(question.pass))?.[1] ?? 'none';
}

/** Encodings to choose from: those the samples show, else those the question names. */
export function encodingsOf(question: Question): string[] {
  if (question.samples?.length) return question.samples.map(({ encoding }) => encoding);
  return question.pass.replace(/^--encoding\s+/, '').split('|');
}

/** Coordinate systems to choose from, best guess first. */
export function crsOf(question: Question): { crs: string; why: string; why_zh: string }[] {
  if (question.guesses?.length) return question.guesses;
  const named = /EPSG:\d+/.exec(question.pass)?.[0];
  return named ? [{ crs: named, why: '', why_zh: '' }] : [];
}

/** What `--accept` would accept. */
export function acceptedBy(question: Question): string {
  return question.pass.replace(/^--accept\s+/, '').trim();
}

/** One person's answers while they are being chosen, by the question's code. */
export type Choices = Readonly<Record<string, string>>;

const CRS = /^EPSG:\d{4,6}$/;

/** Whether a question has a usable answer. */
export function isAnswered(question: Question, choices: Choices): boolean {
  const given = choices[question.code] ?? '';
  switch (kindOf(question)) {
    case 'crs':
      return CRS.test(given);
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(given);
    case 'none':
      return false;
    default:
      return given !== '';
  }
}

type Adder = (answers: Answers, question: Question, given: string) => Answers;

const ADDERS: Record<AnswerKind, Adder> = {
  encoding: (answers, _question, given) => ({ ...answers, encoding: given }),
  crs: (answers, _question, given) => ({ ...answers, source_crs: given }),
  date: (answers, _question, given) => ({ ...answers, valid_from: given }),
  conflicts: (answers, _question, given) => ({ ...answers, conflicts: given === 'take' ? 'take' : 'keep' }),
  repair: (answers) => ({ ...answers, repair: true }),
  accept: (answers, question) => ({ ...answers, accept: [...new Set([...(answers.accept ?? []), acceptedBy(question)])] }),
  none: (answers) => answers,
};

/** Choices as the server takes them; what was accepted in an earlier round stays accepted. */
export function answersOf(questions: readonly Question[], choices: Choices, before: Answers): Answers {
  const start: Answers = before.accept?.length ? { accept: before.accept } : {};
  return questions.reduce((answers, question) => ADDERS[kindOf(question)](answers, question, choices[question.code] ?? ''), start);
}

/** Names of the parts that ask, as the delivery has them. */
export function askingParts(question: Question, delivery: Pick<Delivery, 'parts'>): string[] {
  const orders = new Set(question.parts);
  return delivery.parts.filter(({ order }) => orders.has(order)).map(({ source }) => source);
}

/** What is likeliest, chosen beforehand where a guess is offered; a risk is never accepted beforehand. */
export function firstChoices(questions: readonly Question[]): Record<string, string> {
  const choices: Record<string, string> = {};
  for (const question of questions) {
    const [guess] = kindOf(question) === 'crs' ? crsOf(question) : [];
    if (guess) choices[question.code] = guess.crs;
  }
  return choices;
}

/** Columns of sample rows, whatever form they have. */
export function sampleTable(rows: readonly unknown[]): { columns: string[]; cells: string[][] } {
  const records = rows.map((row): Record<string, unknown> => (row !== null && typeof row === 'object' && !Array.isArray(row) ? (row as Record<string, unknown>) : { '': row }));
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const filled = columns.filter((column) => records.some((record) => String(record[column] ?? '').trim() !== ''));
  return { columns: filled, cells: records.map((record) => filled.map((column) => String(record[column] ?? ''))) };
}
