export { default as AppIcon } from './AppIcon.vue';
export { default as LayerTree } from './LayerTree.vue';
export { default as SplitHandle } from './SplitHandle.vue';
export { default as StateBlock } from './StateBlock.vue';
export { default as SwatchIcon } from './SwatchIcon.vue';
export { failureText, stateView } from './stateView';
export { treeKey, type TreeRow } from './treeKeys';
export { LAYER_ID, THEME_ID, treeRows, type LayerRow } from './treeModel';
export type { IconName } from './icons';
