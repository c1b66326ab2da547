export const zh = {
  wall: {
    title: '灌区水情',
    open: '大屏',
  },
}

export const en: typeof zh = {
  wall: {
    title: 'Irrigation district',
    open: 'Wall',
  },
}
