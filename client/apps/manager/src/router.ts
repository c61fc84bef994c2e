import { shallowRef, type Component, type ShallowRef } from 'vue';

/** A screen and its address, such as `/deliveries/:id/:tab?`. */
export interface Route {
  path: string;
  /** Key of the screen's name, for the window's title. */
  title: string;
  screen: Component;
}

export interface Place {
  route: Route | null;
  parameters: Record<string, string>;
  path: string;
}

export interface Router {
  place: ShallowRef<Place>;
  go: (path: string) => void;
  /** The same screen under another address, without a step in the history. */
  replace: (path: string) => void;
}

const PARAMETER = /^:(?<name>\w+)(?<optional>\?)?$/;

/** Whether one part of an address is what a route wants there. */
function fits(wanted: string, given: string): boolean {
  const parameter = PARAMETER.exec(wanted)?.groups;
  return parameter ? given !== '' || parameter.optional !== undefined : wanted === given;
}

/** The parameters of an address, if it is this route's. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (given.length > wanted.length || !wanted.every((part, index) => fits(part, given[index] ?? ''))) return null;
  const named = wanted.map((part, index): [string, string] => [PARAMETER.exec(part)?.groups?.name ?? '', given[index] ?? '']);
  return Object.fromEntries(named.filter(([name, value]) => name && value).map(([name, value]) => [name, decoded(value)]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Find the screen of an address; the first route is where an empty one leads. */
export function placeOf(routes: readonly Route[], hash: string): Place {
  const path = hash.replace(/^#/, '') || routes[0]!.path;
  for (const route of routes) {
    const parameters = matchPath(route.path, path);
    if (parameters) return { route, parameters, path };
  }
  return { route: null, parameters: {}, path };
}

/** Screens by the part of the address after `#`: links, the back button and reloading work as everywhere. */
export function createRouter(routes: readonly Route[], page: Window): Router {
  const place = shallowRef(placeOf(routes, page.location.hash));
  page.addEventListener('hashchange', () => {
    // The link that skips to the content is no address of ours.
    if (page.location.hash !== '#main') place.value = placeOf(routes, page.location.hash);
  });
  return {
    place,
    go: (path) => (page.location.hash = path),
    replace(path) {
      page.history.replaceState(null, '', `#${path}`);
      place.value = placeOf(routes, `#${path}`);
    },
  };
}
