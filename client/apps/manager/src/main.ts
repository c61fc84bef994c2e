import '@onemap/ui/tokens.css';
import '@onemap/ui/base.css';
import '@onemap/ui/controls.css';
import './styles/shell.css';
import './styles/parts.css';

import { createApp } from 'vue';

import { createDesk, DESK } from './desk';
import AppShell from './shell/AppShell.vue';

const desk = createDesk(document, location);
createApp(AppShell).provide(DESK, desk).mount('#app');
void desk.boot();
