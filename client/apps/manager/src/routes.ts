import { defineAsyncComponent } from 'vue';

import type { IconName } from '@onemap/ui';
import type { Route } from './router';
import DeliveryList from './screens/deliveries/DeliveryList.vue';

/** Every screen. The first is where the page opens. */
export const ROUTES: readonly Route[] = [
  { path: '/deliveries', title: 'nav.deliveries', screen: DeliveryList },
  {
    path: '/deliveries/new',
    title: 'delivery.new',
    screen: defineAsyncComponent(() => import('./screens/deliveries/NewDelivery.vue')),
  },
  {
    path: '/deliveries/:id/:tab?',
    title: 'nav.delivery',
    screen: defineAsyncComponent(() => import('./screens/deliveries/DeliveryPage.vue')),
  },
  { path: '/changesets', title: 'nav.changesets', screen: defineAsyncComponent(() => import('./screens/changesets/ChangesetList.vue')) },
  { path: '/changesets/new', title: 'changeset.new', screen: defineAsyncComponent(() => import('./screens/changesets/NewChangeset.vue')) },
  {
    path: '/changesets/:id/:tab?/:layer?/:fid?',
    title: 'nav.changeset',
    screen: defineAsyncComponent(() => import('./screens/changesets/ChangesetPage.vue')),
  },
  { path: '/layers', title: 'nav.layers', screen: defineAsyncComponent(() => import('./screens/layers/LayerList.vue')) },
  { path: '/layers/shelf', title: 'nav.shelf', screen: defineAsyncComponent(() => import('./screens/layers/ShelfScreen.vue')) },
  { path: '/layers/:id/:tab?', title: 'nav.layer', screen: defineAsyncComponent(() => import('./screens/layers/LayerPage.vue')) },
  { path: '/quality', title: 'nav.quality', screen: defineAsyncComponent(() => import('./screens/quality/QualityList.vue')) },
  { path: '/codes', title: 'nav.codes', screen: defineAsyncComponent(() => import('./screens/codes/CodeLists.vue')) },
  { path: '/codes/new', title: 'codes.new', screen: defineAsyncComponent(() => import('./screens/codes/NewEdition.vue')) },
  { path: '/codes/:id/:tab?', title: 'nav.code-list', screen: defineAsyncComponent(() => import('./screens/codes/CodeListPage.vue')) },
  { path: '/profiles', title: 'nav.profiles', screen: defineAsyncComponent(() => import('./screens/profiles/ProfileList.vue')) },
  { path: '/profiles/:id', title: 'nav.profile', screen: defineAsyncComponent(() => import('./screens/profiles/ProfilePage.vue')) },
  { path: '/pulls', title: 'nav.pulls', screen: defineAsyncComponent(() => import('./screens/pulls/PullList.vue')) },
  { path: '/pulls/:id', title: 'nav.pull', screen: defineAsyncComponent(() => import('./screens/pulls/PullPage.vue')) },
  { path: '/people', title: 'nav.people', screen: defineAsyncComponent(() => import('./screens/people/PeopleScreen.vue')) },
];

export interface Area {
  /** Beginning of the addresses of its screens. */
  path: string;
  title: string;
  icon: IconName;
  /** Shown to administrators of the platform alone. */
  admins?: boolean;
}

/** The areas of the page's navigation, in order. */
export const AREAS: readonly Area[] = [
  { path: '/deliveries', title: 'nav.deliveries', icon: 'inbox' },
  { path: '/changesets', title: 'nav.changesets', icon: 'changes' },
  { path: '/layers', title: 'nav.layers', icon: 'layers' },
  { path: '/quality', title: 'nav.quality', icon: 'warning' },
  { path: '/codes', title: 'nav.codes', icon: 'list' },
  { path: '/profiles', title: 'nav.profiles', icon: 'file' },
  { path: '/pulls', title: 'nav.pulls', icon: 'clock' },
  { path: '/people', title: 'nav.people', icon: 'user', admins: true },
];
