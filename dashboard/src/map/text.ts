export const zh = {
  map: {
    title: '一张图',
    whole: '全图',
    hint: '滚轮缩放，拖动平移，点击建筑物进入其页面。渠线为建筑物之间的直线，不是测绘走向。',
    noWebgl: '此浏览器不支持 WebGL，无法显示地图。下面列出不正常的闸门。',
    noTiles: '未读到底图设置：{detail}',
    canvas: '灌区地图：渠道与建筑物',
    notNormal: '不正常的建筑物',
    allNormal: '全部正常',
    legend: '图例',
    open: '开启',
    closed: '关闭',
    alarm: '未确认告警',
  },
}

export const en: typeof zh = {
  map: {
    title: 'Map',
    whole: 'Whole district',
    hint: 'Wheel to zoom, drag to move, click a structure for its page. Canals are straight lines between structures, not surveyed courses.',
    noWebgl: 'This browser has no WebGL and can not show the map. What is not normal is listed below.',
    noTiles: 'The settings of the background were not read: {detail}',
    canvas: 'Map of the district: canals and structures',
    notNormal: 'Not normal',
    allNormal: 'All normal',
    legend: 'Legend',
    open: 'open',
    closed: 'closed',
    alarm: 'unacknowledged alarm',
  },
}
