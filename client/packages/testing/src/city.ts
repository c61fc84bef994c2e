import type { Box, Geometry, LayerInfo, MapInfo, Properties } from '../../core/src/api/types';
import { drawn } from './looks';

export interface CityFeature {
  fid: number;
  properties: Properties;
  geometry: Geometry;
  box: Box;
}

/** Centre of the small city, EPSG:4547 metres. */
export const CENTER: [number, number] = [506000, 2494000];
const HALF_WIDTH = 6000;
const HALF_HEIGHT = 4000;
const BLOCK = 200;

const EXTENT: Box = [
  CENTER[0] - HALF_WIDTH,
  CENTER[1] - HALF_HEIGHT,
  CENTER[0] + HALF_WIDTH,
  CENTER[1] + HALF_HEIGHT,
];

export const MAP_INFO: MapInfo = {
  title_zh: '一张图',
  title_en: 'One Map',
  city: { name_zh: '深圳市', name_en: 'Shenzhen' },
  crs: [
    {
      code: 'EPSG:4547',
      proj4: '+proj=tmerc +lat_0=0 +lon_0=114 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +axis=neu +no_defs',
      name_zh: 'CGCS2000 / 3 度带 中央经线 114°',
      name_en: 'CGCS2000 / 3-degree Gauss-Kruger CM 114E',
      extent: [346306, 2295000, 653694, 3874000],
    },
  ],
  grid: {
    identifier: 'CityGrid',
    crs: 'EPSG:4547',
    origin: [400000, 2640000],
    size: 293601.28,
    levels: 14,
    tile_px: 512,
  },
  view: { center: CENTER, extent: EXTENT },
  demo: true,
};

/** A repeatable sequence of numbers in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function rectangle([x0, y0, x1, y1]: Box): Geometry {
  return {
    type: 'Polygon',
    coordinates: [
      [
        [x0, y0],
        [x1, y0],
        [x1, y1],
        [x0, y1],
        [x0, y0],
      ],
    ],
  };
}

function feature(fid: number, properties: Properties, geometry: Geometry, box: Box): CityFeature {
  return { fid, properties, geometry, box };
}

const LAND_USE = ['0701', '0901', '1001', '1401'];

function parcels(): CityFeature[] {
  const random = sequence(1);
  const found: CityFeature[] = [];
  for (let x = EXTENT[0]; x < EXTENT[2]; x += BLOCK) {
    for (let y = EXTENT[1]; y < EXTENT[3]; y += BLOCK) {
      const fid = found.length + 1;
      const box: Box = [x + 8, y + 8, x + BLOCK - 8, y + BLOCK - 8];
      const code = LAND_USE[Math.floor(random() * LAND_USE.length)]!;
      const area = (BLOCK - 16) ** 2;
      const parcel = `440304${String(fid).padStart(6, '0')}`;
      found.push(feature(fid, { parcel_no: parcel, landuse: code, area }, rectangle(box), box));
    }
  }
  return found;
}

function buildings(): CityFeature[] {
  const random = sequence(2);
  return parcels().flatMap((parcel, index) => {
    const [x0, y0] = parcel.box;
    const count = 1 + Math.floor(random() * 3);
    return Array.from({ length: count }, (_, part) => {
      const [width, depth] = [20 + random() * 25, 20 + random() * 60];
      const box: Box = [x0 + 8 + part * 56, y0 + 12, x0 + 8 + part * 56 + width, y0 + 12 + depth];
      const fid = index * 3 + part + 1;
      const floors = 3 + Math.floor(random() * 30);
      const properties = { name: part === 0 ? `创业花园${index + 1}栋` : '', floors, height: floors * 3.1 };
      return feature(fid, properties, rectangle(box), box);
    });
  });
}

function roads(): CityFeature[] {
  const found: CityFeature[] = [];
  const add = (box: Box, name: string, grade: string): void => {
    const coordinates = [
      [box[0], box[1]],
      [box[2], box[3]],
    ];
    found.push(feature(found.length + 1, { name, class: grade }, { type: 'LineString', coordinates }, box));
  };
  for (let x = EXTENT[0], n = 1; x <= EXTENT[2]; x += 1000, n += 1) add([x, EXTENT[1], x, EXTENT[3]], `南北${n}路`, 'main');
  for (let y = EXTENT[1], n = 1; y <= EXTENT[3]; y += 1000, n += 1) add([EXTENT[0], y, EXTENT[2], y], `东西${n}大道`, 'express');
  return found;
}

function districts(): CityFeature[] {
  const names = ['福田区', '罗湖区', '南山区'];
  const width = (HALF_WIDTH * 2) / names.length;
  return names.map((name, index) => {
    const box: Box = [EXTENT[0] + index * width, EXTENT[1], EXTENT[0] + (index + 1) * width, EXTENT[3]];
    return feature(index + 1, { code: `44030${index + 3}`, name }, rectangle(box), box);
  });
}

function places(): CityFeature[] {
  const random = sequence(3);
  return Array.from({ length: 160 }, (_, index) => {
    const x = EXTENT[0] + random() * HALF_WIDTH * 2;
    const y = EXTENT[1] + random() * HALF_HEIGHT * 2;
    const name = `第${index + 1}小学`;
    return feature(index + 1, { name, pupils: 300 + index * 10 }, { type: 'Point', coordinates: [x, y] }, [x, y, x, y]);
  });
}

/** Every layer's features, made once; the same on every start. */
export const FEATURES: Record<string, CityFeature[]> = {
  division_district: districts(),
  road: roads(),
  parcel: parcels(),
  building: buildings(),
  facility: places(),
};

const BASE = { code: 'base', title_zh: '基础地理', title_en: 'Base', order: 1 };
const PLAN = { code: 'plan', title_zh: '规划成果', title_en: 'Plans', order: 2 };

type LayerSketch = Pick<LayerInfo, 'name' | 'title_zh' | 'title_en' | 'theme' | 'geometry' | 'fields' | 'style' | 'order'> &
  Partial<LayerInfo>;

function text(name: string, alias_zh: string, alias_en: string): LayerInfo['fields'][number] {
  return { name, alias_zh, alias_en, type: 'text', unit: null };
}

function number(name: string, alias_zh: string, alias_en: string, unit: string | null): LayerInfo['fields'][number] {
  return { name, alias_zh, alias_en, type: 'real', unit };
}

function layer(sketch: LayerSketch, revision: number): LayerInfo {
  return {
    actions: ['view', 'query', 'download'],
    revision,
    count: FEATURES[sketch.name]?.length ?? null,
    extent: EXTENT,
    first_level: { CityGrid: null },
    label_field: null,
    secrecy: 'public',
    valid_time: false,
    updated_at: '2026-11-23T09:12:00+08:00',
    tiles: `/tiles/${sketch.name}/CityGrid/{z}/{x}/{y}.mvt?v=${revision}`,
    visible: true,
    ...sketch,
  };
}

const LAND_USES = [
  { code: '0701', color: '#FFF1A8', zh: '城镇住宅用地', en: 'Urban housing' },
  { code: '0901', color: '#F7A8A0', zh: '商业用地', en: 'Commercial' },
  { code: '1001', color: '#C9A98D', zh: '工业用地', en: 'Industrial' },
  { code: '1401', color: '#A9D49B', zh: '公园绿地', en: 'Park' },
];

/** The catalogue as a signed-out visitor, or as a member of the planning department, sees it. */
export function catalogue(signedIn: boolean, revision: number): LayerInfo[] {
  const name = text('name', '名称', 'Name');
  const sketches: LayerSketch[] = [
    {
      name: 'division_district', title_zh: '行政区', title_en: 'Districts', theme: BASE, geometry: 'polygon', order: 10,
      fields: [text('code', '行政区代码', 'Code'), name], label_field: 'name',
      style: drawn('polygon', { fill: '#F2EFE9', stroke: '#8592A0', width: 2 }),
    },
    {
      name: 'road', title_zh: '道路中心线', title_en: 'Road centre lines', theme: BASE, geometry: 'line', order: 40,
      fields: [name, text('class', '道路等级', 'Class')], label_field: 'name',
      style: drawn('line', {
        width: 3, stroke: '#B8C0C8', field: 'class',
        classes: [
          { code: 'express', color: '#D98E4A', zh: '快速路', en: 'Expressway' },
          { code: 'main', color: '#B8C0C8', zh: '主干路', en: 'Main road' },
        ],
      }),
    },
    {
      name: 'building', title_zh: '建筑物', title_en: 'Buildings', theme: BASE, geometry: 'polygon', order: 30,
      fields: [name, number('floors', '层数', 'Floors', null), number('height', '高度', 'Height', 'm')],
      label_field: 'name', first_level: { CityGrid: 7 }, style: drawn('polygon', { fill: '#D9D3C7', stroke: '#9A9284', width: 1 }),
    },
    {
      name: 'facility', title_zh: '公共服务设施（学校、医院与社区服务中心）', title_en: 'Public facilities (schools, clinics, community centres)',
      theme: BASE, geometry: 'point', order: 50, fields: [name, number('pupils', '学生数', 'Pupils', '人')],
      label_field: 'name', first_level: { CityGrid: 6 }, style: drawn('point', { fill: '#1F5FA8', stroke: '#FFFFFF', width: 1.5, radius: 5 }),
    },
  ];
  const internal: LayerSketch = {
    name: 'parcel', title_zh: '规划地块', title_en: 'Planning parcels', theme: PLAN, geometry: 'polygon', order: 20,
    fields: [text('parcel_no', '地块编号', 'Parcel no.'), text('landuse', '用地代码', 'Land use'), number('area', '用地面积', 'Area', 'm²')],
    first_level: { CityGrid: 6 }, secrecy: 'internal', valid_time: true,
    style: drawn('polygon', { fill: '#EEEEEE', stroke: '#7A7A6A', width: 0.8, field: 'landuse', classes: LAND_USES }),
  };
  return (signedIn ? [...sketches, internal] : sketches).map((sketch) => layer(sketch, revision));
}
