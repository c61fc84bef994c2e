/** A file the person chose, with its folders. */
export interface Chosen {
  name: string;
  file: File;
}

/** Files that systems leave behind and nobody means to send. */
const LITTER = /(^|\/)(\.|~\$|Thumbs\.db$|desktop\.ini$|__MACOSX\/)/i;

export function isLitter(name: string): boolean {
  return LITTER.test(name);
}

/** Of an input, with or without `webkitdirectory`. */
export function fromInput(files: Iterable<File>): Chosen[] {
  return [...files]
    .map((file) => ({ name: file.webkitRelativePath || file.name, file }))
    .filter(({ name }) => !isLitter(name));
}

/** Of a drop: files and whole folders. */
export async function fromDrop(items: DataTransferItemList): Promise<Chosen[]> {
  // The list is emptied as soon as this turn ends, so the entries are taken first.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const found = await Promise.all(entries.map((entry) => walk(entry, '')));
  return found.flat().filter(({ name }) => !isLitter(name));
}

async function walk(entry: FileSystemEntry, above: string): Promise<Chosen[]> {
  const name = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ name, file }];
  }
  const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map((one) => walk(one, `${name}/`)))).flat();
}

/** A reader gives at most a hundred entries at once. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

const DATA = /\.(shp|gpkg|geojson|json|csv|txt|kml|gml|dxf|tab|mif|xlsx|fgb|parquet|tif|tiff|gdb)$/i;

/** Whatever is inside: what an archive holds is known only after it was opened. */
export const ANY_SOURCE = '*';

/** Names of the data sets among files, without suffix: what a delivery calls its parts. */
export function sourcesOf(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const folder = /([^/]+)\.gdb\//i.exec(name);
    if (folder) return [folder[1]!];
    const last = name.split('/').pop() ?? '';
    if (/\.zip$/i.test(last)) return [ANY_SOURCE];
    return DATA.test(last) ? [last.replace(DATA, '')] : [];
  });
  return [...new Set(found)];
}
