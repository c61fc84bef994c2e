export { catalogue, CENTER, FEATURES, MAP_INFO } from './city';
export { drawn, LABELS, rule, type Look } from './looks';
export { createFakeServer } from './server';
