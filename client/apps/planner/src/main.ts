import '@onemap/ui/tokens.css';
import '@onemap/ui/base.css';
import '@onemap/ui/controls.css';
import './styles/shell.css';
import './styles/panels.css';

import { readConfig } from './config';
import { createPlanner } from './planner';
import { start } from './start';

const target = document.getElementById('map');
if (!target) throw new Error('the page has no #map');

const planner = createPlanner(readConfig(document), location);
const parts = start(planner, target);

// The interface framework loads while the first tiles are on their way.
void import('./rest').then(({ mountInterface }) => mountInterface(planner, parts, target));
