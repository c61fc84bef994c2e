export { catalogue, CENTER, FEATURES, MAP_INFO } from './city';
export { createFakeServer } from './server';
