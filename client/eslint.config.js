import vue from 'eslint-plugin-vue';
import ts from 'typescript-eslint';

const mapOnly = [
  { name: 'ol', message: 'OpenLayers belongs to packages/map.' },
  { name: 'proj4', message: 'Coordinate systems belong to packages/map.' },
];
const mapOnlyPatterns = [{ group: ['ol/*'], message: 'OpenLayers belongs to packages/map.' }];
const noApps = { group: ['**/apps/**', '@onemap/planner*', '@onemap/manager*'], message: 'Packages never import an app.' };

export default ts.config(
  { ignores: ['dist/', 'node_modules/'] },
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.ts', '**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.vue'] } },
    rules: {
      complexity: ['error', 8],
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 60],
      'no-console': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // HTML made from strings is how attributes become scripts.
      'vue/no-v-html': 'error',
      // A fixed style attribute is refused by the page's policy.
      'vue/no-static-inline-styles': ['error', { allowBinding: true }],
      // The layout of tags is a matter of line width alone.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'no-restricted-imports': ['error', { paths: mapOnly, patterns: mapOnlyPatterns }],
    },
  },
  {
    files: ['packages/map/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noApps, { group: ['vue', '@onemap/ui'], message: 'The map knows no interface.' }] }] },
  },
  {
    files: ['packages/core/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: mapOnly, patterns: [...mapOnlyPatterns, noApps, { group: ['vue', '@onemap/*'], message: 'core stands alone.' }] },
      ],
      'no-restricted-globals': ['error', 'document', 'window'],
    },
  },
  {
    files: ['packages/ui/**/*.{ts,vue}'],
    rules: { 'no-restricted-imports': ['error', { paths: mapOnly, patterns: [...mapOnlyPatterns, noApps] }] },
  },
  {
    files: ['packages/testing/**/*.ts', 'packages/map/test/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noApps] }] },
  },
);
