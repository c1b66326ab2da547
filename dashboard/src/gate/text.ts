export const zh = {
  gateVolume: {
    title: '过闸水量（水量日）',
    day: '水量日',
    today: '今日至今',
    yesterday: '昨日',
    volume: '水量',
    unit: '万m³',
    mean: '平均流量',
    complete: '完整率',
    interval: '统计时段',
    short: '有数据的时间不足九成，水量只是已知部分',
    loading: '正在统计水量…',
    failed: '读不到水量：{detail}',
    empty: '还没有水量数据。',
  },
}

export const en: typeof zh = {
  gateVolume: {
    title: 'Volume passed (water days)',
    day: 'Water day',
    today: 'Today so far',
    yesterday: 'Yesterday',
    volume: 'Volume',
    unit: '10⁴ m³',
    mean: 'Mean flow',
    complete: 'Complete',
    interval: 'Interval',
    short: 'Less than nine tenths of the time is known: the volume is of the known part only',
    loading: 'Reckoning the volume…',
    failed: 'The volume can’t be read: {detail}',
    empty: 'There is no volume yet.',
  },
}
